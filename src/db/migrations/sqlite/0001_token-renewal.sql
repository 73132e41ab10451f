ALTER TABLE `users` ADD `renewing_until` integer;--> statement-breakpoint
ALTER TABLE `users` ADD `revoked_at` integer;