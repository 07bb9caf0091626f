//! `concord verify`: walks the event chain and counts the lists anew.

use super::{Failure, Outcome, build};
use crate::{
    config::Config,
    domain::{Ctx, chain, list::recount},
};

pub async fn run(config: Config) -> Outcome {
    let app = build(config, false).await?;
    // What waits for its seal is sealed first, so that a stopped node's last events count too.
    let ctx = Ctx::system(&app);
    while chain::seal(&ctx).await.map_err(|error| Failure::wrong(format!("sealing: {error:?}")))? > 0 {}
    let found =
        chain::verify(ctx.read()).await.map_err(|error| Failure::wrong(format!("reading: {error:?}")))?;
    if let Some(link) = found.first_break {
        return Err(Failure::wrong(format!(
            "the chain {} breaks at position {}: {}",
            link.chain_id, link.position, link.what
        )));
    }
    eprintln!(
        "concord: {} events in {} chains hold together ({} erased)",
        found.events, found.chains, found.erased
    );
    let different = recount::first_difference(ctx.read())
        .await
        .map_err(|error| Failure::wrong(format!("counting: {error:?}")))?;
    if let Some(counter) = different {
        return Err(Failure::wrong(format!(
            "the alliance {} counts {} of \"{}\" where there are {}",
            counter.alliance_id, counter.counted, counter.what, counter.found
        )));
    }
    eprintln!("concord: the counters of both lists equal a recount");
    Ok(())
}
