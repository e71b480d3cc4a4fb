-- Of all that ever were, those that live: what looks for the ones whose time is over reads no others.
CREATE INDEX "sessions_live_expires_at" ON "sessions" ("expires_at") WHERE "ended_at" IS NULL;
