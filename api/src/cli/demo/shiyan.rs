//! Shiyan's small story: branches in compounds (小区党支部). Of the compounds of a subdistrict some have a branch of their own, some one
//! together with their property firm, some a temporary one or an instructor, and one has nothing yet.

use concord_entities::{id::RegionId, organization::Kind as Unit, party_branch::Kind, region::Level};

use super::{
    small,
    story::{Story, missing},
};
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
    ("42", "湖北省", Level::Province),
    ("4203", "十堰市", Level::Prefecture),
    ("420302", "茅箭区", Level::County),
    ("420302001", "武当路街道", Level::Township),
];
const COMMUNITIES: [(&str, &str); 2] =
    [("420302001001", "顾家岗社区居委会"), ("420302001002", "龚家湾社区居委会")];

/// What a compound has.
#[derive(Clone, Copy)]
enum Has {
    Own,
    WithItsFirm,
    Temporary,
    Instructor,
    Nothing,
}

/// Compounds, each with its community's place in the list, and how many members its branch counts.
const COMPOUNDS: [(&str, usize, Has, i32); 6] = [
    ("阳光花园", 0, Has::Own, 42),
    ("东城雅居", 0, Has::Own, 27),
    ("翠竹苑", 0, Has::WithItsFirm, 35),
    ("龚家湾新村", 1, Has::Temporary, 9),
    ("滨河小区", 1, Has::Instructor, 0),
    ("车城家园", 1, Has::Nothing, 0),
];

pub async fn play(story: &mut Story<'_>) -> Result<()> {
    let names = ("武当路街道党建联盟", "武当路", "中共武当路街道工作委员会", "小区党建专员");
    let town = small::found(story, "shiyan", &PLACES, names).await?;
    let system = story.stage.system();
    let record = async |parent_id: Option<RegionId>, code: Option<&str>, name: &str, level| {
        let new = NewRegion { parent_id, code: code.map(str::to_owned), name: name.to_owned(), level };
        region::record(&system, new).await.map(|region| region.id)
    };
    let firm = small::unit(story, "武当路和美物业(演示)", Unit::PropertyManagement).await?;
    membership::admit(&system, town.alliance, firm, Contact::default()).await?;
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
    let top = establish(new(Kind::Committee, None, "武当路街道党工委".to_owned(), here, None)).await?;
    let mut above = Vec::new();
    for (code, name) in COMMUNITIES {
        let community = record(town.regions.last().copied(), Some(code), name, Level::Village).await?;
        let hosts = vec![NewHost::Region(community)];
        let general = format!("{}党总支", name.trim_end_matches("居委会"));
        above.push((community, establish(new(Kind::GeneralBranch, Some(top), general, hosts, None)).await?));
    }
    for (name, at, has, members) in COMPOUNDS {
        let (community, general) = *above.get(at).ok_or_else(|| missing("a community"))?;
        let compound = record(Some(community), None, name, Level::Compound).await?;
        let branch = |hosts| new(Kind::Branch, Some(general), format!("{name}党支部"), hosts, Some(members));
        match has {
            Has::Own => establish(branch(vec![NewHost::Region(compound)])).await.map(drop)?,
            Has::WithItsFirm => {
                let hosts = vec![NewHost::Region(compound), NewHost::Organization(firm)];
                establish(branch(hosts)).await.map(drop)?;
            }
            Has::Temporary => {
                let new = NewBranch { is_temporary: true, ..branch(vec![NewHost::Region(compound)]) };
                establish(new).await.map(drop)?;
            }
            Has::Instructor => {
                let new = NewInstructor {
                    organization_id: town.committee,
                    name: "示例己".to_owned(),
                    phone: None,
                    place: NewHost::Region(compound),
                    since: None,
                };
                instructor::appoint(&town.clerk, town.alliance, new).await.map(drop)?;
            }
            Has::Nothing => {}
        }
    }
    Ok(())
}
