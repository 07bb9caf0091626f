//! Leping's small story: a couriers' branch (快递小哥党支部), at home in courier stations and in the subdistrict, with groups by the companies
//! that they ride for; markets and enterprises beside it that it covers, and those that it does not.

use concord_entities::{branch_host, organization::Kind as Unit, party_branch::Kind, region::Level};

use super::{small, story::Story};
use crate::domain::{
    Result,
    branch::{
        host::NewHost,
        instructor::{self, NewInstructor},
        steps::{self, NewBranch, Secretary},
    },
    governance::membership::{self, Contact},
    territory::region::{self, NewRegion},
};

const PLACES: [(&str, &str, Level); 4] = [
    ("36", "江西省", Level::Province),
    ("3602", "景德镇市", Level::Prefecture),
    ("360281", "乐平市", Level::County),
    ("360281001", "洎阳街道", Level::Township),
];
const COMMUNITIES: [(&str, &str); 3] =
    [("360281001001", "友谊居委会"), ("360281001002", "鹅头山居委会"), ("360281001003", "联盟居委会")];
/// Companies for which couriers ride, and the stations from which they do.
const COMPANIES: [&str; 3] = ["洎阳迅达快递(演示)", "洎阳捷运快递(演示)", "洎阳同城配送(演示)"];
const STATIONS: [&str; 2] = ["友谊快递驿站", "鹅头山快递驿站"];
const MARKET: &str = "洎阳农贸市场";
/// Members of a company's group.
const GROUP_MEMBERS: i32 = 5;

pub async fn play(story: &mut Story<'_>) -> Result<()> {
    let names = ("洎阳街道党建联盟", "洎阳", "中共洎阳街道工作委员会", "新业态党建专员");
    let town = small::found(story, "leping", &PLACES, names).await?;
    let system = story.stage.system();
    let mut communities = Vec::new();
    for (code, name) in COMMUNITIES {
        let new = NewRegion {
            parent_id: town.regions.last().copied(),
            code: Some(code.to_owned()),
            name: name.to_owned(),
            level: Level::Village,
        };
        communities.push(region::record(&system, new).await?.id);
    }
    let mut companies = Vec::new();
    for name in COMPANIES {
        let company = small::unit(story, name, Unit::Enterprise).await?;
        membership::admit(&system, town.alliance, company, Contact::default()).await?;
        companies.push(company);
    }
    let establish = async |new: NewBranch| {
        steps::establish(&town.clerk, town.alliance, new).await.map(|branch| branch.id)
    };
    let new = |kind, parent_id, name: String, hosts, member_count| NewBranch {
        kind,
        parent_id,
        name,
        is_temporary: false,
        hosts,
        member_count,
        secretary: Secretary::default(),
        since: None,
    };
    let here = vec![NewHost::Organization(town.committee)];
    let top = establish(new(Kind::Committee, None, "洎阳街道党工委".to_owned(), here, None)).await?;
    // The first two companies host it with the stations; the third has an instructor.
    let mut hosts: Vec<NewHost> = STATIONS
        .iter()
        .map(|name| NewHost::Place(branch_host::Kind::CourierStation, (*name).to_owned()))
        .collect();
    hosts.extend(companies.iter().take(2).map(|company| NewHost::Organization(*company)));
    let groups = i32::try_from(companies.len()).unwrap_or_default();
    let members = Some(groups * GROUP_MEMBERS + 3);
    let couriers =
        establish(new(Kind::Branch, Some(top), "洎阳街道快递小哥党支部".to_owned(), hosts, members)).await?;
    for name in COMPANIES {
        let name = format!("{}党小组", name.trim_end_matches("(演示)"));
        establish(new(Kind::PartyGroup, Some(couriers), name, Vec::new(), Some(GROUP_MEMBERS))).await?;
    }
    let first = communities.first().copied().into_iter().map(NewHost::Region).collect();
    establish(new(Kind::Branch, Some(top), "友谊社区党支部".to_owned(), first, Some(31))).await?;
    let market = vec![NewHost::Place(branch_host::Kind::Market, MARKET.to_owned())];
    let temporary = NewBranch {
        is_temporary: true,
        ..new(Kind::Branch, Some(top), "农贸市场临时党支部".to_owned(), market, Some(6))
    };
    establish(temporary).await?;
    for company in companies.into_iter().skip(2) {
        let new = NewInstructor {
            organization_id: town.committee,
            name: "示例戊".to_owned(),
            phone: None,
            place: NewHost::Organization(company),
            since: None,
        };
        instructor::appoint(&town.clerk, town.alliance, new).await?;
    }
    Ok(())
}
