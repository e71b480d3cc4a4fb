-- CreateTable
CREATE TABLE "sign_in_settings" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "password_enabled" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "sign_in_settings_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "sign_in_attempts" (
    "state_hash" TEXT NOT NULL,
    "identity_provider_id" UUID NOT NULL,
    "cookie_hash" TEXT NOT NULL,
    "sealed_request" BYTEA NOT NULL,
    "link_user_id" UUID,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "used_at" TIMESTAMPTZ(3),
    "user_id" UUID,
    "result_hash" TEXT,
    "result_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "sign_in_attempts_pkey" PRIMARY KEY ("state_hash")
);

-- CreateIndex
CREATE UNIQUE INDEX "sign_in_attempts_result_hash_key" ON "sign_in_attempts"("result_hash");

-- CreateIndex
CREATE INDEX "sign_in_attempts_expires_at_idx" ON "sign_in_attempts"("expires_at");

-- CreateIndex
CREATE INDEX "sign_in_attempts_identity_provider_id_idx" ON "sign_in_attempts"("identity_provider_id");

-- CreateIndex
CREATE UNIQUE INDEX "identity_providers_issuer_key" ON "identity_providers"("issuer");

-- AddForeignKey
ALTER TABLE "sign_in_attempts" ADD CONSTRAINT "sign_in_attempts_identity_provider_id_fkey" FOREIGN KEY ("identity_provider_id") REFERENCES "identity_providers"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sign_in_attempts" ADD CONSTRAINT "sign_in_attempts_link_user_id_fkey" FOREIGN KEY ("link_user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sign_in_attempts" ADD CONSTRAINT "sign_in_attempts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Of this table there is one row
ALTER TABLE "sign_in_settings" ADD CONSTRAINT "sign_in_settings_one_row" CHECK ("id" = 1);
INSERT INTO "sign_in_settings" ("id") VALUES (1);

-- Somebody has come back before there is a result, and a result is used after it was made
ALTER TABLE "sign_in_attempts"
    ADD CONSTRAINT "sign_in_attempts_result_is_whole" CHECK (("result_hash" IS NULL) = ("user_id" IS NULL)),
    ADD CONSTRAINT "sign_in_attempts_in_order" CHECK (
        ("used_at" IS NOT NULL OR "result_hash" IS NULL) AND ("result_hash" IS NOT NULL OR "result_used_at" IS NULL)
    );
