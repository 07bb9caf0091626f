//! A small town to test in: a county, a town with two communities, an alliance with members, one person per role.

use concord::domain::{
    governance::{
        alliance::{self, NewAlliance},
        membership::{self, Contact},
        organization::{self, NewOrganization},
    },
    identity::{
        account::{self, NewAccount},
        seat::{self, NewSeat},
    },
    territory::region::{self, NewRegion},
};
use concord_entities::{
    id::{AccountId, AllianceId, OrganizationId, RegionId},
    organization::Kind,
    region::Level,
    seat::Role,
};

use crate::TestApp;

/// The town's objects.
pub struct World {
    pub county_region: RegionId,
    pub town_region: RegionId,
    pub communities: [RegionId; 2],
    pub county: AllianceId,
    pub town: AllianceId,
    /// Members of the town's alliance, in order; the first is the committee, the last acts for the verifier.
    pub members: Vec<OrganizationId>,
    pub committee: AccountId,
    pub approver: AccountId,
    /// Manager and staff of `members[1]`.
    pub manager: AccountId,
    pub staff: AccountId,
    /// Staff of `members[2]`.
    pub other_staff: AccountId,
    pub officer: AccountId,
    pub grid_officer: AccountId,
    /// Acts for the last member.
    pub verifier: AccountId,
    pub observer: AccountId,
    /// Committee of the county, which supervises the town.
    pub county_committee: AccountId,
    /// A person without any seat.
    pub stranger: AccountId,
    pub admin: AccountId,
}

impl World {
    /// Builds the town under `code`, six digits of a county that differ between worlds in one app.
    pub async fn build(app: &TestApp, code: &str) -> Self {
        let system = app.system();
        let region = async |code: Option<String>, name: &str, level, parent_id| {
            region::record(&system, NewRegion { parent_id, code, name: name.to_owned(), level })
                .await
                .expect("a region")
                .id
        };
        let county_region = region(Some(code.to_owned()), "海晏县", Level::County, None).await;
        let town_region =
            region(Some(format!("{code}100")), "西海镇", Level::Township, Some(county_region)).await;
        let mut communities = Vec::new();
        for number in 1..=2 {
            let code = Some(format!("{code}10000{number}"));
            communities
                .push(region(code, &format!("第{number}社区"), Level::Village, Some(town_region)).await);
        }
        let organization = async |name: String, kind| {
            let new = NewOrganization { name, short_name: None, kind, credit_code: None, region_id: None };
            organization::record(&system, new).await.expect("an organisation").id
        };
        let found = async |name: &str, region_id, parent_id, committee| {
            let new = NewAlliance {
                name: name.to_owned(),
                region_id,
                parent_id,
                committee_organization_id: committee,
                oversight_organization_id: None,
                time_zone: "Asia/Shanghai".to_owned(),
                number_pattern: "西海销〔{year}〕{seq:4}号".to_owned(),
                check_in_working_day: 5,
            };
            alliance::found(&system, new).await.expect("an alliance").id
        };
        let county = found("海晏县联盟", county_region, None, None).await;
        let committee_unit = organization(format!("西海镇党委{code}"), Kind::TownCommittee).await;
        let town = found("西海镇联盟", town_region, Some(county), Some(committee_unit)).await;
        let mut members = vec![committee_unit];
        for number in 1..=6 {
            members.push(organization(format!("成员单位{number}-{code}"), Kind::GovernmentUnit).await);
        }
        for member in &members {
            membership::admit(&system, town, *member, Contact::default()).await.expect("a membership");
        }
        let account = async |name: &str, admin| {
            let new = NewAccount {
                username: format!("{name}.{code}"),
                display_name: name.to_owned(),
                is_platform_admin: admin,
                // Not a hash of anything: these people are spoken for by tests, they never sign in.
                password_hash: Some("!".to_owned()),
                ..NewAccount::default()
            };
            account::create(&system, new).await.expect("an account").id
        };
        let person = async |name: &str, alliance_id, role, organization_id, region_id| {
            let account_id = account(name, false).await;
            let new = NewSeat { account_id, alliance_id, role, organization_id, region_id };
            seat::grant(&system, new).await.expect("a seat");
            account_id
        };
        let unit = |index: usize| members.get(index).copied();
        Self {
            committee: person("committee", town, Role::Committee, unit(0), None).await,
            approver: person("approver", town, Role::Approver, unit(0), None).await,
            manager: person("manager", town, Role::MemberManager, unit(1), None).await,
            staff: person("staff", town, Role::MemberStaff, unit(1), None).await,
            other_staff: person("other", town, Role::MemberStaff, unit(2), None).await,
            officer: person("officer", town, Role::CommunityOfficer, None, communities.first().copied())
                .await,
            grid_officer: person("grid", town, Role::GridOfficer, None, communities.first().copied()).await,
            verifier: person("verifier", town, Role::Verifier, unit(6), None).await,
            observer: person("observer", town, Role::Observer, None, None).await,
            county_committee: person("county", county, Role::Committee, None, None).await,
            stranger: account("stranger", false).await,
            admin: account("admin", true).await,
            county_region,
            town_region,
            communities: communities.try_into().expect("two communities"),
            county,
            town,
            members,
        }
    }
}
