// What a container has said, and says.

import { unbuilt } from '../../engine/unbuilt.ts';
import type { Handler } from '../call.ts';

export const containerLogs: Handler<'ContainerLogs'> = async () => unbuilt('logs');
