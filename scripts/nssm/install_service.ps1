<#
.SYNOPSIS
Installs the supervisor with all its workers as one Windows service, with NSSM. Needs an administrator's shell.
.DESCRIPTION
One service is enough: the supervisor starts the workers and starts dead ones again. `nssm stop` sends Ctrl-C, which lets
each worker finish what it holds; NSSM's own wait of 1.5 s would end them in the middle, so it is set to the drain time
and 5 s more. After a change of config.yaml or of certificates: `message-broker-worker reload`, without a pause. What the
service was given at its start (the parameters below, ..\.env) takes a restart of the service.
.EXAMPLE
.\install_service.ps1 -NumWorkers 3
.EXAMPLE
.\install_service.ps1 -ServiceName MessageBrokerWorker2 -SupervisorPort 9199 -BaseMetricsPort 9200
#>
[CmdletBinding()]
param(
    [string]$ServiceName = 'MessageBrokerWorker',
    [int]$NumWorkers = 3,
    [int]$BaseMetricsPort = 9100,
    # Two services on one host need different ones
    [int]$SupervisorPort = 9099,
    # Seconds that a worker may finish what it holds
    [int]$ShutdownTimeout = 25,
    [string]$Nssm = 'nssm'
)

$ErrorActionPreference = 'Stop'
$root = (Resolve-Path (Join-Path $PSScriptRoot '..\..')).Path
$node = (Get-Command node).Source
$stopMilliseconds = ($ShutdownTimeout + 5) * 1000

if (-not (Test-Path (Join-Path $root 'dist\supervisor\cli.js'))) { throw "dist is missing: run `"npm ci`" and `"npm run build`" in $root first." }

# A native program that fails throws nothing by itself.
function Invoke-Nssm {
    & $Nssm @args
    if ($LASTEXITCODE -ne 0) { throw "nssm $($args[0]) $($args[1]) failed with exit code $LASTEXITCODE" }
}

# Relative to AppDirectory, so that no path with blanks needs quotes, which Windows PowerShell hands on wrongly.
$parameters = "dist\supervisor\cli.js start --num-workers $NumWorkers --base-metrics-port $BaseMetricsPort " +
    "--supervisor-port $SupervisorPort --shutdown-timeout $ShutdownTimeout"
if (Test-Path (Join-Path $root '..\.env')) { $parameters = "--env-file=..\.env $parameters" }

Invoke-Nssm install $ServiceName $node
Invoke-Nssm set $ServiceName AppParameters $parameters
Invoke-Nssm set $ServiceName AppDirectory $root
Invoke-Nssm set $ServiceName AppEnvironmentExtra 'NODE_ENV=production'
Invoke-Nssm set $ServiceName DisplayName "Message Broker Worker ($ServiceName)"
Invoke-Nssm set $ServiceName Description 'Takes messages from Redis and has the main server deliver them'
Invoke-Nssm set $ServiceName Start SERVICE_AUTO_START

# Ctrl-C, then wait; 6 leaves out the window and thread messages, which Node does not hear.
Invoke-Nssm set $ServiceName AppStopMethodConsole $stopMilliseconds
Invoke-Nssm set $ServiceName AppStopMethodSkip 6
Invoke-Nssm set $ServiceName AppKillProcessTree 1

Invoke-Nssm set $ServiceName AppExit Default Restart
# 0: somebody asked it to stop (message-broker-worker stop).
Invoke-Nssm set $ServiceName AppExit 0 Exit
# 78: the configuration cannot be used. Starting again would not mend it; the log says what is wrong.
Invoke-Nssm set $ServiceName AppExit 78 Exit
Invoke-Nssm set $ServiceName AppRestartDelay 5000

# What is said before the log file opens (logs\worker.log), such as a setting that cannot be used.
New-Item -ItemType Directory -Force -Path (Join-Path $root 'logs') | Out-Null
Invoke-Nssm set $ServiceName AppStderr (Join-Path $root "logs\$ServiceName.stderr.txt")

Invoke-Nssm start $ServiceName
Invoke-Nssm status $ServiceName
