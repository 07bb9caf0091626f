//! Live board of an order, for whoever watches.

use async_graphql::{Context, ID, Object, Result, Subscription};
use futures_util::{Stream, StreamExt};

use super::coverage::{CoverageCellsInput, CoverageRow, view};
use crate::{
    domain::mobilization::live::{self, Delta},
    graphql::{
        at_once::AtOnce,
        ctx,
        error::{OrApiError, api_error},
        id,
        territory::region::RegionLevel,
    },
};

/// What changed on a board since the last time.
pub struct MobilizationCoverageDelta {
    position: i64,
    is_whole: bool,
    rows: Vec<CoverageRow>,
    count: usize,
}

impl From<Delta> for MobilizationCoverageDelta {
    fn from(delta: Delta) -> Self {
        let Delta { position, is_whole, rows, count } = delta;
        Self { position, is_whole, rows: rows.into_iter().map(CoverageRow::from).collect(), count }
    }
}

/// What changed on a board since the last time.
#[Object]
impl MobilizationCoverageDelta {
    /// The last position of all changes that is in it; what `changes(after:)` tells from there on is not, or not all.
    async fn position(&self) -> i64 {
        self.position
    }

    /// Whether it is the whole board, as it comes first; otherwise each row replaces that of its region or cell.
    async fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// The rows that changed, the greatest gap first, then by code.
    async fn rows(&self) -> Vec<AtOnce<&CoverageRow>> {
        self.rows.iter().map(AtOnce).collect()
    }

    /// How many rows the board has; the first 500 by code are shown.
    async fn count(&self) -> usize {
        self.count
    }
}

#[derive(Default)]
pub struct MobilizationSubscription;

#[Subscription]
impl MobilizationSubscription {
    /// What an order covers, as it changes: the whole board first, then only the rows that changed, at most about four times a second
    /// however many people check in. Of a view with more than 500 regions or cells the first by code are shown. Ends with `NOT_FOUND` when
    /// the caller may no longer see the order, or sees more or less of it than before. A slow client misses what was in between, never the last; whoever comes back gets the whole
    /// board again.
    async fn mobilization_coverage(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The order.")] mobilization_id: ID,
        #[graphql(desc = "Within this region; within all that the caller sees of the order where absent.")]
        below: Option<ID>,
        #[graphql(desc = "By regions of this level; by those directly below where absent.")] level: Option<
            RegionLevel,
        >,
        #[graphql(
            desc = "By these grid cells as they stand today, or stood when the order ended, rather than by regions; `level` is then absent. What a community needs as a whole counts in a cell over the community, not in one over a part of it."
        )]
        cells: Option<CoverageCellsInput>,
        #[graphql(
            desc = "The last position that the client has from before: the whole board then comes once something has happened to the order since. One that was never given is refused, since such a client watched another database."
        )]
        after: Option<i64>,
    ) -> Result<impl Stream<Item = Result<MobilizationCoverageDelta>> + use<>> {
        let ctx = ctx(context).clone();
        let watched = async {
            let of = id::decode(&mobilization_id, "mobilizationId")?;
            live::watch(&ctx, of, view(below.as_ref(), level, cells.as_ref())?, after).await
        };
        let deltas = watched.await.or_api_error(&ctx)?;
        Ok(deltas.map(move |delta| {
            delta.map(MobilizationCoverageDelta::from).map_err(|error| api_error(&ctx, &error))
        }))
    }
}
