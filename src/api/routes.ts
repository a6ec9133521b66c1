// The route table of the Engine API: every endpoint by its name in Docker's own description (`ContainerList`…).

import type { AnswerOf, AskedOf, BodyOf, ParamsOf, ReadOf } from './route.ts';
import { containerRoutes } from './routes/containers.ts';
import { execRoutes } from './routes/execs.ts';
import { imageRoutes } from './routes/images.ts';
import { networkRoutes } from './routes/networks.ts';
import { systemRoutes } from './routes/system.ts';
import { volumeRoutes } from './routes/volumes.ts';

export const routes = {
  ...systemRoutes,
  ...containerRoutes,
  ...execRoutes,
  ...imageRoutes,
  ...networkRoutes,
  ...volumeRoutes,
} as const;

export type Routes = typeof routes;
export type RouteName = keyof Routes;
/** What stands in the path: `{ id: string }`. */
export type Params<N extends RouteName> = ParamsOf<Routes[N]>;
/** Query parameters as a client gives them: all may be left out. */
export type Query<N extends RouteName> = AskedOf<Routes[N]>;
/** Query parameters as the server has read them. */
export type ReadQuery<N extends RouteName> = ReadOf<Routes[N]>;
export type Body<N extends RouteName> = BodyOf<Routes[N]>;
export type Response<N extends RouteName> = AnswerOf<Routes[N]>;
