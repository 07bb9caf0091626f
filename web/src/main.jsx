// The page: one GraphiQL, its editors' workers, and nothing that knows a rule of Concord.
import './workers.js';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './page.css';

import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import { fetcher } from './fetcher.js';
import { welcome } from './welcome.js';

// Queries and headers may hold passwords and tokens, so everything ends with the browser tab's session.
createRoot(document.getElementById('root')).render(
  <GraphiQL
    fetcher={fetcher}
    storage={window.sessionStorage}
    shouldPersistHeaders
    showPersistHeadersSettings={false}
    defaultEditorToolsVisibility="headers"
    defaultHeaders={'{\n  "Authorization": "Bearer "\n}'}
    defaultQuery={welcome}
    inputValueDeprecation
    schemaDescription
  >
    <GraphiQL.Logo>Concord 合治</GraphiQL.Logo>
  </GraphiQL>,
);
