CREATE TABLE "account_data" (
	"owner_key" text DEFAULT '' NOT NULL,
	"platform" text DEFAULT '' NOT NULL,
	"data_key" text DEFAULT '' NOT NULL,
	"data" jsonb NOT NULL,
	"expires_at" bigint NOT NULL,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "account_data_owner_key_platform_data_key_pk" PRIMARY KEY("owner_key","platform","data_key")
);
--> statement-breakpoint
CREATE TABLE "call_logs" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text DEFAULT '' NOT NULL,
	"account_id" text DEFAULT '' NOT NULL,
	"platform" text DEFAULT '' NOT NULL,
	"session_id" text DEFAULT '' NOT NULL,
	"extension_number" text DEFAULT '' NOT NULL,
	"hashed_extension_id" text DEFAULT '' NOT NULL,
	"telephony_session_id" text DEFAULT '' NOT NULL,
	"start_time" bigint,
	"contact_id" text DEFAULT '' NOT NULL,
	"contact_type" text DEFAULT '' NOT NULL,
	"crm_log_id" text DEFAULT '' NOT NULL,
	"state" text NOT NULL,
	"version" integer NOT NULL,
	"lease_until" bigint,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" bigint,
	"last_error_code" text DEFAULT '' NOT NULL,
	"last_error_message" text DEFAULT '' NOT NULL,
	"fingerprints" jsonb NOT NULL,
	"sealed_pending" text DEFAULT '' NOT NULL,
	"answer" jsonb,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "message_logs" (
	"id" text PRIMARY KEY NOT NULL,
	"user_id" text DEFAULT '' NOT NULL,
	"account_id" text DEFAULT '' NOT NULL,
	"platform" text DEFAULT '' NOT NULL,
	"conversation_log_id" text DEFAULT '' NOT NULL,
	"conversation_id" text DEFAULT '' NOT NULL,
	"contact_id" text DEFAULT '' NOT NULL,
	"contact_type" text DEFAULT '' NOT NULL,
	"crm_log_id" text DEFAULT '' NOT NULL,
	"state" text NOT NULL,
	"version" integer NOT NULL,
	"lease_until" bigint,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" bigint,
	"last_error_code" text DEFAULT '' NOT NULL,
	"last_error_message" text DEFAULT '' NOT NULL,
	"fingerprints" jsonb NOT NULL,
	"sealed_pending" text DEFAULT '' NOT NULL,
	"answer" jsonb,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "messages" (
	"user_id" text DEFAULT '' NOT NULL,
	"platform" text DEFAULT '' NOT NULL,
	"message_id" text DEFAULT '' NOT NULL,
	"message_log_id" text NOT NULL,
	"created_at" bigint NOT NULL,
	CONSTRAINT "messages_user_id_platform_message_id_pk" PRIMARY KEY("user_id","platform","message_id")
);
--> statement-breakpoint
CREATE TABLE "note_cache" (
	"user_id" text DEFAULT '' NOT NULL,
	"platform" text DEFAULT '' NOT NULL,
	"session_id" text DEFAULT '' NOT NULL,
	"sealed_note" text NOT NULL,
	"expires_at" bigint NOT NULL,
	CONSTRAINT "note_cache_user_id_platform_session_id_pk" PRIMARY KEY("user_id","platform","session_id")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" text NOT NULL,
	"platform" text NOT NULL,
	"crm_user_id" text NOT NULL,
	"name" text DEFAULT '' NOT NULL,
	"account_id" text DEFAULT '' NOT NULL,
	"extension_hash" text DEFAULT '' NOT NULL,
	"hostname" text DEFAULT '' NOT NULL,
	"time_zone" text DEFAULT '' NOT NULL,
	"time_zone_offset" text DEFAULT '' NOT NULL,
	"sealed_credentials" text DEFAULT '' NOT NULL,
	"info" jsonb NOT NULL,
	"settings" jsonb NOT NULL,
	"settings_version" integer NOT NULL,
	"session_id" text NOT NULL,
	"version" integer NOT NULL,
	"created_at" bigint NOT NULL,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "users_id_platform_pk" PRIMARY KEY("id","platform")
);
--> statement-breakpoint
ALTER TABLE "messages" ADD CONSTRAINT "messages_message_log_id_message_logs_id_fk" FOREIGN KEY ("message_log_id") REFERENCES "public"."message_logs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "account_data_expiry" ON "account_data" USING btree ("expires_at");--> statement-breakpoint
CREATE UNIQUE INDEX "call_logs_identity" ON "call_logs" USING btree ("user_id","platform","session_id","extension_number","hashed_extension_id");--> statement-breakpoint
CREATE INDEX "call_logs_state" ON "call_logs" USING btree ("state","lease_until","next_attempt_at");--> statement-breakpoint
CREATE INDEX "call_logs_next_attempt" ON "call_logs" USING btree ("next_attempt_at");--> statement-breakpoint
CREATE UNIQUE INDEX "message_logs_identity" ON "message_logs" USING btree ("user_id","platform","conversation_log_id");--> statement-breakpoint
CREATE INDEX "message_logs_state" ON "message_logs" USING btree ("state","lease_until","next_attempt_at");--> statement-breakpoint
CREATE INDEX "message_logs_next_attempt" ON "message_logs" USING btree ("next_attempt_at");--> statement-breakpoint
CREATE INDEX "messages_log" ON "messages" USING btree ("message_log_id");--> statement-breakpoint
CREATE INDEX "note_cache_expiry" ON "note_cache" USING btree ("expires_at");