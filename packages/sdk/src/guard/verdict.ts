import type { DenialCode } from '@authsec/rbac-core';
import type { UserInfo } from '../session/caller-session.js';
import type { UnavailableCode } from './unavailable.js';

/** `unknown_tool`: for nobody does it exist. `undecidable`: deciding failed. `person_changed`: between the first look and the second. */
export type HiddenCode = DenialCode | 'not_signed_in' | 'unknown_tool' | 'undecidable' | 'person_changed';

/** What is decided about one caller and one tool. */
export type Verdict =
  | { readonly kind: 'allowed'; readonly user: UserInfo | undefined }
  /** For this caller the tool does not exist. `why` is for the author's log, `code` for counting. */
  | { readonly kind: 'hidden'; readonly code: HiddenCode; readonly why: () => string }
  /** It was shown to this login, whose rights cannot be judged now. */
  | { readonly kind: 'unavailable'; readonly code: UnavailableCode };
