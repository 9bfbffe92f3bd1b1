/**
 * The folder in which the processes of one jest run meet (who runs which shared server).
 * Workers inherit the environment of the process that ran the global set-up.
 */
export const RUN_DIRECTORY = 'BISYNC_TEST_RUN_DIRECTORY';

/** The pid of jest's main process: shared servers live exactly as long as it. */
export const RUN_PID = 'BISYNC_TEST_RUN_PID';
