/** Served from supervisor/admin/protocol.ts. */
export * from '../../../admin/protocol.js';
