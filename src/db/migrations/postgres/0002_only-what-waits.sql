DROP INDEX "call_logs_state";--> statement-breakpoint
DROP INDEX "call_logs_next_attempt";--> statement-breakpoint
DROP INDEX "message_logs_state";--> statement-breakpoint
DROP INDEX "message_logs_next_attempt";--> statement-breakpoint
CREATE INDEX "call_logs_state" ON "call_logs" USING btree ("state","lease_until","next_attempt_at") WHERE state <> 'logged';--> statement-breakpoint
CREATE INDEX "call_logs_next_attempt" ON "call_logs" USING btree ("next_attempt_at") WHERE next_attempt_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "message_logs_state" ON "message_logs" USING btree ("state","lease_until","next_attempt_at") WHERE state <> 'logged';--> statement-breakpoint
CREATE INDEX "message_logs_next_attempt" ON "message_logs" USING btree ("next_attempt_at") WHERE next_attempt_at IS NOT NULL;