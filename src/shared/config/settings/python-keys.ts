/** Keys of the Python worker's config.yaml that are no settings here and may stand in ours all the same. */

/** The Python worker's key for directory and name of the log file in one. */
export const LOG_FILE = 'logging.file';

/**
 * Keys of the Python worker's file that have no meaning here, and whether a value asks for something that does not
 * happen: rotation at midnight, every day, is what happens anyway.
 */
export const WITHOUT_MEANING: Readonly<Record<string, (text: string) => boolean>> = {
  'worker.poll_interval': () => true,
  'logging.rotation.when': (text) => text.trim().toLowerCase() !== 'midnight',
  'logging.rotation.interval': (text) => text.trim() !== '1',
};
