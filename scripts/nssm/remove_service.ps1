<#
.SYNOPSIS
Stops the service, which lets the workers finish what they hold, and removes it. Needs an administrator's shell.
.EXAMPLE
.\remove_service.ps1
#>
[CmdletBinding()]
param(
    [string]$ServiceName = 'MessageBrokerWorker',
    [string]$Nssm = 'nssm'
)

$ErrorActionPreference = 'Stop'
& $Nssm stop $ServiceName
& $Nssm remove $ServiceName confirm
if ($LASTEXITCODE -ne 0) { throw "nssm remove $ServiceName failed with exit code $LASTEXITCODE" }
