-- Before exchange.lua, where no settlement says anything of failed attempts: see failures.lua.
local failures, with_failures, keep_failure, forget_failures, skipped_failures
