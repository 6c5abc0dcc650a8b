/** A bug: something that the program itself promises does not hold. Answered with a bare 500. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * Stops the program's present task when one of its own promises is broken.
 *
 * @param message says what should hold; it is logged, so it holds no address, key or mail address
 */
export function invariant(holds: unknown, message: string): asserts holds {
  if (!holds) throw new InvariantError(message);
}
