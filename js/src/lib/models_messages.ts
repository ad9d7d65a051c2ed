/** What the models view's state holds and what the two sides send. The same as in `fal_nb/views/models.py`. */

export type ModelRow = [
  place: number,
  endpoint: string,
  name: string,
  category: string,
  status: string,
  tags: string[],
  description: string,
  hasPicture: boolean,
];

export interface ModelsState {
  view: string;
  backend: string;
  count: number;
  matching: number;
  note: string;
  words: string;
  filters: Record<string, string[]>;
  status: string;
  sort: string;
  sorts: string[];
  is_descending: boolean;
  facets: [name: string, values: [value: string, count: number][]][];
  revision: number;
}

export interface Ask {
  kind: "query";
  words: string;
  filters: Record<string, string[]>;
  status: string;
  sort: string;
  is_descending: boolean;
}

export type ModelsEvent =
  | Ask
  | { kind: "order" }
  | { kind: "items" | "thumbnails"; cells: number[] }
  | { kind: "details"; cell: number };

export type InputRow = [
  name: string,
  type: string,
  fallback: string,
  values: string,
  isRequired: boolean,
  description: string,
];

export interface Details {
  kind: "details";
  cell: number;
  description: string;
  facts: [name: string, value: string][];
  run_line: string;
  form_line: string;
  price: string;
  trouble: string;
  inputs: InputRow[];
}

export type ModelsMessage =
  | { kind: "order"; revision: number; count: number }
  | { kind: "items"; items: ModelRow[] }
  | { kind: "thumbnails"; pictures: [place: number, digest: string, length: number][] }
  | Details;
