-- Before a script that claims, where the fleet has no rate: see paced.lua.
local take_tokens, end_of_claiming

