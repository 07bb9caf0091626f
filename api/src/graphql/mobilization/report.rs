//! Face of what came of an order: numbers alone.

use async_graphql::{Context, Object, Result, SimpleObject};

use super::unit::MobilizationUnit;
use crate::{
    domain::mobilization::report::{Hour, Place, Report},
    graphql::{loaders, scalar::DateTime, territory::region::Region},
};

/// What came of an order: who came, hour by hour, and what was covered when, all of it at one moment. After the order is stood down only
/// check-ins that were captured before and came in late still change it, of which `lateCheckIns` says how many, and check-outs from before.
pub struct MobilizationReport {
    report: Report,
    is_final: bool,
}

impl MobilizationReport {
    pub const fn new(report: Report, is_final: bool) -> Self {
        Self { report, is_final }
    }
}

/// A called unit, and how many people came with it.
#[derive(SimpleObject)]
pub struct MobilizationUnitReport {
    /// The unit, with its quota and how it answered.
    unit: MobilizationUnit,
    /// How many people came with it.
    came: i64,
    /// How many of its quota did not come.
    missing: i64,
}

/// What an hour saw.
#[derive(SimpleObject)]
pub struct MobilizationHour {
    /// When it began.
    began_at: DateTime,
    /// People who came for the first time.
    arrived: i64,
    /// People who had come by its end.
    cumulative: i64,
    /// Those of them who had not left for good by its end. When somebody was away who left and came back, there or elsewhere, is not kept: they
    /// count as present in between too.
    present: i64,
    /// Places that were known by its end to have had as many people as they needed, if only for a while; `placeCount` says of how many.
    covered: i64,
}

impl From<&Hour> for MobilizationHour {
    fn from(hour: &Hour) -> Self {
        let Hour { began_at, arrived, cumulative, present, covered } = *hour;
        Self { began_at: began_at.into(), arrived, cumulative, present, covered }
    }
}

/// A place in a report.
pub struct MobilizationPlace(Place);

/// A place in a report.
#[Object]
impl MobilizationPlace {
    /// The community, natural village, compound or building.
    async fn region(&self, context: &Context<'_>) -> Result<Option<Region>> {
        Ok(loaders::one(context, self.0.region).await?.map(Region))
    }

    /// How many people it needs.
    async fn needed(&self) -> i64 {
        self.0.needed
    }

    /// How many are there, or were when the order was stood down.
    async fn present(&self) -> i64 {
        self.0.present
    }

    /// How many are missing.
    async fn uncovered(&self) -> i64 {
        (self.0.needed - self.0.present).max(0)
    }

    /// When it was first known to have as many as it needed at that moment; null where it never had. Needs that are raised later take
    /// nothing back.
    async fn first_covered_at(&self) -> Option<DateTime> {
        self.0.covered_at.map(DateTime)
    }
}

/// What came of an order: who came, hour by hour, and what was covered when, all of it at one moment. After the order is stood down only
/// check-ins that were captured before and came in late still change it, of which `lateCheckIns` says how many, and check-outs from before.
#[Object]
impl MobilizationReport {
    /// How many people came, each counted once.
    async fn came(&self) -> i64 {
        self.report.came
    }

    /// How many of them came with no called unit: volunteers, and people of paired units. Of an order that the caller sees in part, how
    /// many came with no unit at all.
    async fn others(&self) -> i64 {
        self.report.others
    }

    /// How many are present, or were when the order was stood down.
    async fn present(&self) -> i64 {
        self.report.present
    }

    /// The called units; whoever owes most of its quota comes first.
    async fn units(&self) -> Vec<MobilizationUnitReport> {
        let unit = |sent: &crate::domain::mobilization::report::Sent| MobilizationUnitReport {
            unit: MobilizationUnit(sent.unit.clone()),
            came: sent.came,
            missing: (i64::from(sent.unit.quota) - sent.came).max(0),
        };
        self.report.units.iter().map(unit).collect()
    }

    /// How often people went from one place to another.
    async fn transfers(&self) -> u64 {
        self.report.transfers
    }

    /// Hour by hour from the first arrival on, for two months at most. Of an order that the caller sees in part they count who is within it now
    /// or was there last, from when that person first came, wherever that was.
    async fn hours(&self) -> Vec<MobilizationHour> {
        self.report.hours.iter().map(MobilizationHour::from).collect()
    }

    /// The places, the greatest gap first, then by code; at most 500 of `placeCount`.
    async fn places(&self) -> Vec<MobilizationPlace> {
        self.report.places.iter().cloned().map(MobilizationPlace).collect()
    }

    /// How many places there are; `places` shows the first 500.
    async fn place_count(&self) -> usize {
        self.report.place_count
    }

    /// Check-ins that were captured before the order was stood down and recorded after it, of people who came and who went elsewhere.
    async fn late_check_ins(&self) -> u64 {
        self.report.late
    }

    /// Whether the order is stood down, so that nothing but such check-ins and check-outs changes the report.
    async fn is_final(&self) -> bool {
        self.is_final
    }
}
