/** Something that the person at the terminal can put right: its message is printed without a stack. */
export class DevError extends Error {
  override readonly name = 'DevError';
}
