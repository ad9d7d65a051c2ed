/** Says of a view that what it shows was made by the simulator; nothing where it is fal's. */

interface SimulatedProps {
  backend: string | undefined;
  what?: string;
}

export function Simulated({ backend, what = "made" }: SimulatedProps) {
  if (backend !== "simulator") return null;
  return (
    <span class="fal-nb-badge" title={`${what} by the local simulator, not by fal; nothing is billed`}>
      simulated
    </span>
  );
}
