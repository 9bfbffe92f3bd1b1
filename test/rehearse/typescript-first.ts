import Module from 'node:module';

/**
 * `X.node` means X.node.ts here, and not X.node.json beside it, which Node would look for first.
 * To be imported before anything that imports a node.
 */
const extensions = (Module as unknown as { _extensions: Record<string, unknown> })._extensions;
const json = extensions['.json'];
delete extensions['.json'];
extensions['.json'] = json;
