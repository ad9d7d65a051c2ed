/** How long `vi.waitFor` waits: a busy machine is no mistake of the code. Below what a test may take. */
export const PATIENCE = { timeout: 4_000 };
