<#
.SYNOPSIS
Several workers under one supervisor, with the parameters of the Python worker's launcher.
.DESCRIPTION
A thin wrapper around `message-broker-worker start`: a worker that dies is started again, and Ctrl-C finishes what is in
flight and ends all. A parameter that is not given leaves the setting to the environment, ..\.env, .env and
config\config.yaml, in this order, and then to the default. A reload reads .env and config.yaml again, ..\.env it does not.
.EXAMPLE
.\start_multiple_workers.ps1 -NumWorkers 3 -Concurrency 4
#>
[CmdletBinding()]
param(
    # Number of worker processes; default 3
    [int]$NumWorkers,
    # Concurrent processors of each worker; default 4
    [int]$Concurrency,
    # Retry interval in seconds; default 30
    [int]$RetryInterval,
    # Maximum attempts per message; default 10000
    [int]$MaxAttempts,
    # Metrics port of the first worker, the next ones count up from it; default 9100
    [int]$BaseMetricsPort,
    # Log level; default INFO
    [ValidateSet('DEBUG', 'INFO', 'WARNING', 'ERROR')]
    [string]$LogLevel
)

$ErrorActionPreference = 'Stop'
$flags = [ordered]@{
    NumWorkers      = '--num-workers'
    Concurrency     = '--concurrency'
    RetryInterval   = '--retry-interval'
    MaxAttempts     = '--max-attempts'
    BaseMetricsPort = '--base-metrics-port'
    LogLevel        = '--log-level'
}

Set-Location (Join-Path $PSScriptRoot '..\..')
if (-not (Test-Path 'dist\supervisor\cli.js')) {
    [Console]::Error.WriteLine("dist is missing: run `"npm ci`" and `"npm run build`" in $PWD first.")
    exit 1
}

$arguments = @()
if (Test-Path '..\.env') { $arguments += '--env-file=..\.env' }
$arguments += 'dist\supervisor\cli.js', 'start'
foreach ($name in $flags.Keys) {
    if ($PSBoundParameters.ContainsKey($name)) { $arguments += $flags[$name], "$($PSBoundParameters[$name])" }
}

& node @arguments
exit $LASTEXITCODE
