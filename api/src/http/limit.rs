//! Cost buckets: every principal pays for operations from a bucket that refills with time.
//!
//! It keeps numbers in memory of one node, bounded; it neither measures costs nor knows what a principal may do.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::refusal::{DoorCode, Refusal};

const MILLI: u64 = 1_000;

/// Who pays.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Principal {
    /// An account.
    User(Arc<str>),
    /// An API key.
    Key(Arc<str>),
    /// Nobody known: the client's address pays.
    Anonymous,
}

/// How much a bucket holds and how fast it refills.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Points of a full bucket.
    pub capacity: u64,
    /// Points restored per second.
    pub restore_per_s: u64,
}

/// Rates by kind of principal.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CostSettings {
    /// Accounts.
    pub user: Rate,
    /// API keys.
    pub key: Rate,
    /// Addresses without a credential.
    pub anonymous: Rate,
    /// How many buckets are remembered at most.
    pub remembered: u64,
}

impl Default for CostSettings {
    fn default() -> Self {
        Self {
            user: Rate { capacity: 1_000, restore_per_s: 50 },
            key: Rate { capacity: 5_000, restore_per_s: 250 },
            anonymous: Rate { capacity: 100, restore_per_s: 5 },
            remembered: 100_000,
        }
    }
}

/// What an operation took and what is left, reported in `extensions.cost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Charge {
    /// Points taken.
    pub requested: u64,
    /// Points left.
    pub available: u64,
    /// Points of a full bucket.
    pub capacity: u64,
    /// Points restored per second.
    pub restore_rate: u64,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Payer {
    User(Arc<str>),
    Key(Arc<str>),
    Address(IpAddr),
}

struct Bucket {
    milli: u64,
    at: Instant,
}

/// All buckets of this node.
#[derive(Clone)]
pub struct Buckets {
    settings: CostSettings,
    buckets: moka::sync::Cache<Payer, Arc<Mutex<Bucket>>>,
}

impl Buckets {
    /// Empty memory: every principal starts with a full bucket.
    pub fn new(settings: CostSettings) -> Self {
        let slowest = [settings.user, settings.key, settings.anonymous]
            .iter()
            .map(|rate| rate.capacity / rate.restore_per_s.max(1))
            .max()
            .unwrap_or_default();
        // An idle bucket that had time to fill up says nothing that a new one would not.
        let idle = Duration::from_secs(slowest.saturating_add(1).min(86_400));
        let buckets =
            moka::sync::Cache::builder().max_capacity(settings.remembered).time_to_idle(idle).build();
        Self { settings, buckets }
    }

    /// Takes the cost from the principal's bucket, or says after how long it could be taken.
    pub fn take(
        &self,
        principal: &Principal,
        client: IpAddr,
        cost: u64,
        now: Instant,
    ) -> Result<Charge, Refusal> {
        let (rate, payer) = match principal {
            Principal::User(id) => (self.settings.user, Payer::User(Arc::clone(id))),
            Principal::Key(id) => (self.settings.key, Payer::Key(Arc::clone(id))),
            Principal::Anonymous => (self.settings.anonymous, Payer::Address(network(client))),
        };
        if cost > rate.capacity {
            return Err(Refusal::over(DoorCode::CostTooHigh, rate.capacity).with("cost", cost));
        }
        let full = rate.capacity.saturating_mul(MILLI);
        let bucket = self.buckets.get_with(payer, || Arc::new(Mutex::new(Bucket { milli: full, at: now })));
        let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed = u64::try_from(now.saturating_duration_since(bucket.at).as_millis()).unwrap_or(u64::MAX);
        // Points per second are thousandths per millisecond.
        bucket.milli = bucket.milli.saturating_add(elapsed.saturating_mul(rate.restore_per_s)).min(full);
        bucket.at = bucket.at.max(now);
        let wanted = cost.saturating_mul(MILLI);
        if wanted > bucket.milli {
            let missing = wanted - bucket.milli;
            let retry_after_s = missing.div_ceil(rate.restore_per_s.max(1).saturating_mul(MILLI)).max(1);
            let mut refusal = Refusal::new(DoorCode::Throttled).with("seconds", retry_after_s);
            refusal.retry_after_s = Some(retry_after_s);
            return Err(refusal);
        }
        bucket.milli -= wanted;
        Ok(Charge {
            requested: cost,
            available: bucket.milli / MILLI,
            capacity: rate.capacity,
            restore_rate: rate.restore_per_s,
        })
    }
}

/// One subscriber line usually has a whole /64, so that is what pays.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_bucket_empties_refuses_and_refills() {
        let buckets = Buckets::new(CostSettings::default());
        let start = Instant::now();
        let user = Principal::User("u1".into());
        let charge = buckets.take(&user, CLIENT, 1_000, start).unwrap();
        assert_eq!((charge.requested, charge.available), (1_000, 0));
        let refusal = buckets.take(&user, CLIENT, 51, start).unwrap_err();
        assert!(refusal.is(DoorCode::Throttled));
        assert_eq!(refusal.retry_after_s, Some(2));
        assert!(buckets.take(&user, CLIENT, 50, start + Duration::from_secs(1)).is_ok());
        assert!(buckets.take(&user, CLIENT, 1, start + Duration::from_secs(1)).is_err());
        assert_eq!(buckets.take(&user, CLIENT, 1, start + Duration::from_hours(1)).unwrap().available, 999);
    }

    #[test]
    fn principals_do_not_share() {
        let buckets = Buckets::new(CostSettings::default());
        let now = Instant::now();
        assert!(buckets.take(&Principal::Anonymous, CLIENT, 100, now).is_ok());
        assert!(buckets.take(&Principal::Anonymous, CLIENT, 1, now).is_err());
        assert!(buckets.take(&Principal::Anonymous, "10.0.0.1".parse().unwrap(), 100, now).is_ok());
        assert!(buckets.take(&Principal::Key("k".into()), CLIENT, 5_000, now).is_ok());
        assert!(buckets.take(&Principal::User("k".into()), CLIENT, 1_000, now).is_ok());
    }

    #[test]
    fn one_ipv6_network_is_one_payer() {
        let buckets = Buckets::new(CostSettings::default());
        let now = Instant::now();
        let take =
            |address: &str, cost| buckets.take(&Principal::Anonymous, address.parse().unwrap(), cost, now);
        assert!(take("2001:db8::1", 100).is_ok());
        assert!(take("2001:db8::2", 1).is_err());
        assert!(take("2001:db8:0:1::1", 100).is_ok());
        assert!(take("::ffff:10.0.0.9", 100).is_ok());
        assert!(take("10.0.0.9", 1).is_err());
    }

    #[test]
    fn what_no_bucket_can_hold_is_told_so() {
        let buckets = Buckets::new(CostSettings::default());
        let refusal = buckets.take(&Principal::Anonymous, CLIENT, 101, Instant::now()).unwrap_err();
        assert!(refusal.is(DoorCode::CostTooHigh));
        assert_eq!(refusal.retry_after_s, None);
    }
}
