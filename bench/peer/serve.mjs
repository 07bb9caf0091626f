// PostGraphile over Concord's tables. WORKERS=n forks n processes, as its users do for more than one core.
//   node serve.mjs [--sdl]       reads DATABASE_URL, PORT, WORKERS, POOL
import cluster from "node:cluster";
import { createServer } from "node:http";

const workers = Number(process.env.WORKERS ?? 1);
if (cluster.isPrimary && workers > 1) {
  for (let n = 0; n < workers; n++) cluster.fork();
} else {
  const { postgraphile } = await import("postgraphile");
  const { PostGraphileAmberPreset } = await import("postgraphile/presets/amber");
  const { makePgService } = await import("postgraphile/adaptors/pg");
  const { grafserv } = await import("postgraphile/grafserv/node");
  const { PgSimplifyInflectionPreset } = await import("@graphile/simplify-inflection");
  const instance = postgraphile({
    extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset],
    pgServices: [
      makePgService({
        connectionString: process.env.DATABASE_URL,
        schemas: ["public"],
        poolConfig: { max: Number(process.env.POOL ?? 16) },
      }),
    ],
    // Conditions on columns without an index of their own are needed for Q1.
    disablePlugins: ["PgIndexBehaviorsPlugin"],
    grafserv: { watch: false, graphiql: false },
    grafast: { explain: false },
  });
  if (process.argv.includes("--sdl")) {
    const { printSchema } = await import("graphql");
    console.log(printSchema(await instance.getSchema()));
    process.exit(0);
  }
  const server = createServer();
  await instance.createServ(grafserv).addTo(server);
  server.listen(Number(process.env.PORT ?? 4101), "127.0.0.1");
}
