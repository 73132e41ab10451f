ALTER TABLE "users" ADD COLUMN "renewing_until" bigint;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "revoked_at" bigint;