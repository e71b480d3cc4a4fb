-- AlterTable
ALTER TABLE "policy_state" ADD COLUMN     "changed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;


-- Whatever moves the feed, by whichever way it is written.
CREATE FUNCTION "note_policy_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW."changed_at" := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER "note_policy_change" BEFORE UPDATE ON "policy_state"
    FOR EACH ROW EXECUTE FUNCTION "note_policy_change"();
