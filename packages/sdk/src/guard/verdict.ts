import type { UserInfo } from '../session/caller-session.js';
import type { UnavailableCode } from './unavailable.js';

/** What is decided about one caller and one tool. */
export type Verdict =
  | { readonly kind: 'allowed'; readonly user: UserInfo | undefined }
  /** For this caller the tool does not exist. `why` is for the author's log. */
  | { readonly kind: 'hidden'; readonly why: () => string }
  /** It was shown to this login, whose rights cannot be judged now. */
  | { readonly kind: 'unavailable'; readonly code: UnavailableCode };
