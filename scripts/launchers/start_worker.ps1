<#
.SYNOPSIS
One worker, with the parameters of the Python worker's launcher.
.DESCRIPTION
A thin wrapper around `message-broker-worker worker`. A parameter that is not given leaves the setting to the environment,
..\.env, .env and config\config.yaml, in this order, and then to the default. Ctrl-C finishes what is in flight and ends.
.EXAMPLE
.\start_worker.ps1 -WorkerId "worker-1" -Concurrency 4 -RetryInterval 30
#>
[CmdletBinding()]
param(
    # Unique worker identifier; default worker-<pid>
    [string]$WorkerId,
    # Number of concurrent processors; default 4
    [int]$Concurrency,
    # Retry interval in seconds; default 30
    [int]$RetryInterval,
    # Maximum attempts per message; default 10000
    [int]$MaxAttempts,
    # Prometheus metrics port; default 9100
    [int]$MetricsPort,
    # Log level; default INFO
    [ValidateSet('DEBUG', 'INFO', 'WARNING', 'ERROR')]
    [string]$LogLevel
)

$ErrorActionPreference = 'Stop'
$flags = [ordered]@{
    WorkerId      = '--worker-id'
    Concurrency   = '--concurrency'
    RetryInterval = '--retry-interval'
    MaxAttempts   = '--max-attempts'
    MetricsPort   = '--metrics-port'
    LogLevel      = '--log-level'
}

Set-Location (Join-Path $PSScriptRoot '..\..')
if (-not (Test-Path 'dist\supervisor\cli.js')) {
    [Console]::Error.WriteLine("dist is missing: run `"npm ci`" and `"npm run build`" in $PWD first.")
    exit 1
}

$arguments = @()
if (Test-Path '..\.env') { $arguments += '--env-file=..\.env' }
$arguments += 'dist\supervisor\cli.js', 'worker'
foreach ($name in $flags.Keys) {
    if ($PSBoundParameters.ContainsKey($name)) { $arguments += $flags[$name], "$($PSBoundParameters[$name])" }
}

& node @arguments
exit $LASTEXITCODE
