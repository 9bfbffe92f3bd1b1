import { type INode, type INodeType, NodeHelpers, Workflow } from 'n8n-workflow';

/** The names of a node's outputs as n8n's own expression engine gives them. */
export function outputNames(type: INodeType, parameters: INode['parameters']): string[] {
	const name = type.description.name;
	const node: INode = {
		id: '1',
		name: 'Node',
		type: name,
		typeVersion: 1,
		position: [0, 0],
		parameters,
	};
	const nodeTypes = {
		getByName: () => type,
		getByNameAndVersion: () => type,
		getKnownTypes: () => ({}),
	};
	const workflow = new Workflow({
		id: 'w',
		nodes: [node],
		connections: {},
		active: false,
		nodeTypes,
	});
	return NodeHelpers.getNodeOutputs(workflow, node, type.description).map((output) =>
		typeof output === 'string' ? output : (output.displayName ?? ''),
	);
}
