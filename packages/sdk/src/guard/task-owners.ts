import type { UserInfo } from '../session/caller-session.js';

const maxTasks = 10_000;

interface Owner {
  readonly person: string | undefined;
  readonly tool: string;
}

/** Whose tasks there are: a task is readable only by the person whose call began it, while that tool is still theirs. */
export interface TaskOwners {
  bind(taskId: string, tool: string, user: UserInfo | undefined): void;
  /** The tool that began the task, where this person did, or nobody in particular. */
  toolOf(taskId: string, user: UserInfo | undefined): string | undefined;
}

export function createTaskOwners(): TaskOwners {
  const owners = new Map<string, Owner>();

  return {
    bind(taskId, tool, user) {
      if (owners.has(taskId)) return;
      owners.set(taskId, { person: personOf(user), tool });
      for (const oldest of owners.keys()) {
        if (owners.size <= maxTasks) return;
        owners.delete(oldest);
      }
    },
    toolOf(taskId, user) {
      const owner = owners.get(taskId);
      return owner && (owner.person === undefined || owner.person === personOf(user)) ? owner.tool : undefined;
    },
  };
}

function personOf(user: UserInfo | undefined): string | undefined {
  return user && JSON.stringify([user.tenant_id, user.sub]);
}
