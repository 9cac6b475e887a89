import { ProgramMissingError, findProgram, type ProgramRequest } from '../../../scripts/local/find-program.js';

/**
 * The program's path, installed when it has to be and may be. Where it cannot be had: undefined after a visible line, for
 * `describe.skipIf`; an error when CI is 1 or true, so that no suite is ever silently left out there.
 */
export async function neededProgram(request: ProgramRequest): Promise<string | undefined> {
  try {
    return (await findProgram(request, { announce: (text) => console.log(text) })).path;
  } catch (error) {
    if (!(error instanceof ProgramMissingError) || /^(1|true)$/i.test(process.env['CI'] ?? '')) throw error;
    console.log(`SKIPPED for want of ${request.names.join(' or ')}: ${error.message}`);
    return undefined;
  }
}
