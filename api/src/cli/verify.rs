//! `concord verify`: walks the event chain.

use super::{Failure, Outcome, build};
use crate::{
    config::Config,
    domain::{Ctx, chain},
};

pub async fn run(config: Config) -> Outcome {
    let app = build(config, false).await?;
    // What waits for its seal is sealed first, so that a stopped node's last events count too.
    let ctx = Ctx::system(&app);
    while chain::seal(&ctx).await.map_err(|error| Failure::wrong(format!("sealing: {error:?}")))? > 0 {}
    let found =
        chain::verify(ctx.read()).await.map_err(|error| Failure::wrong(format!("reading: {error:?}")))?;
    match found.first_break {
        None => {
            eprintln!(
                "concord: {} events in {} chains hold together ({} erased)",
                found.events, found.chains, found.erased
            );
            Ok(())
        }
        Some(link) => Err(Failure::wrong(format!(
            "the chain {} breaks at position {}: {}",
            link.chain_id, link.position, link.what
        ))),
    }
}
