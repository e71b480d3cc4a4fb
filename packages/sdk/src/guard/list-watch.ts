/** Notices that what this session is shown has changed, and says so once for any number of causes at one moment. */
export interface ListWatch {
  /** Something may have changed. */
  touch(): void;
  /** Looks now; resolves when what there was to say is said. */
  flush(): Promise<void>;
}

type Parts = readonly unknown[];

/** `describe` gives parts that are compared by identity; the first one is what the client starts with. */
export function createListWatch(options: {
  readonly describe: () => Parts | Promise<Parts>;
  readonly changed: (before: Parts, now: Parts) => Promise<void>;
  readonly failed: (error: unknown) => void;
}): ListWatch {
  const { describe, changed, failed } = options;
  let shown: Parts | undefined;
  let looking: Promise<void> | undefined;
  let isTouched = false;

  const look = async (): Promise<void> => {
    while (isTouched) {
      isTouched = false;
      try {
        const before = shown;
        shown = await describe();
        if (before !== undefined && !isSame(before, shown)) await changed(before, shown);
      } catch (error) {
        failed(error);
      }
    }
    looking = undefined;
  };
  const touch = (): void => {
    isTouched = true;
    looking ??= Promise.resolve().then(look);
  };

  return {
    touch,
    async flush() {
      touch();
      await looking;
    },
  };
}

export function isSame(before: Parts, now: Parts): boolean {
  return before.length === now.length && before.every((part, index) => part === now[index]);
}
