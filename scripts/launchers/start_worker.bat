@echo off
rem One worker. All options of "message-broker-worker worker" can be given:
rem   start_worker.bat --worker-id worker-1 --metrics-port 9100
rem Settings of ..\.env count where neither a flag nor the environment says otherwise.
setlocal
cd /d "%~dp0..\.."
if not exist dist\supervisor\cli.js (
  echo dist is missing: run "npm ci" and "npm run build" in %CD% first. 1>&2
  exit /b 1
)
set "ENV_FILE="
if exist ..\.env set "ENV_FILE=--env-file=..\.env"
node %ENV_FILE% dist\supervisor\cli.js worker %*
exit /b %ERRORLEVEL%
