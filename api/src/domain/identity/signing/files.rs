//! The files of the key ring: modes, locks, and writing so that a reader sees the old content or the new, never a part.
//!
//! It deliberately does not know what a key is.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{Entry, Error};

const MANIFEST: &str = "keys.json";
const LOCK: &str = "keys.lock";
const DIR_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// The bits that give the group or anybody else any right.
const OTHERS: u32 = 0o077;
/// A thumbprint is 32 bytes of base64url.
const KID_LENGTH: usize = 43;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    keys: Vec<Entry>,
}

/// The folder in which the keys are.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Creates the folder; one that is there already is closed to others before the first key enters it.
    pub(super) fn create(&self) -> Result<(), Error> {
        let io = |source| Error::Io { path: self.0.clone(), source };
        DirBuilder::new().recursive(true).mode(DIR_MODE).create(&self.0).map_err(io)?;
        fs::set_permissions(&self.0, Permissions::from_mode(DIR_MODE)).map_err(io)
    }

    /// Waits for the lock, which is given back when the file is dropped, also by a crash.
    pub(super) fn lock(&self) -> Result<File, Error> {
        let path = self.0.join(LOCK);
        let io = |source| Error::Io { path: path.clone(), source };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(FILE_MODE);
        let file = options.open(&path).map_err(io)?;
        file.lock().map_err(io)?;
        Ok(file)
    }

    pub(super) fn manifest_error(&self, reason: &str) -> Error {
        Error::Content { path: self.0.join(MANIFEST), reason: reason.to_owned() }
    }

    pub(super) fn read_manifest(&self) -> Result<Option<Vec<Entry>>, Error> {
        let path = self.0.join(MANIFEST);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::Io { path, source }),
        };
        check_mode(&self.0, DIR_MODE)?;
        check_mode(&path, FILE_MODE)?;
        let manifest: Manifest =
            serde_json::from_slice(&bytes).map_err(|error| self.manifest_error(&error.to_string()))?;
        if !manifest.keys.iter().all(|entry| is_kid(&entry.kid)) {
            return Err(self.manifest_error("the id of a key is not a thumbprint"));
        }
        Ok(Some(manifest.keys))
    }

    pub(super) fn write_manifest(&self, entries: &[Entry]) -> Result<(), Error> {
        let manifest = Manifest { keys: entries.to_vec() };
        let mut text =
            serde_json::to_vec_pretty(&manifest).map_err(|error| self.manifest_error(&error.to_string()))?;
        text.push(b'\n');
        self.write(MANIFEST, &text)
    }

    pub(super) fn read_private(&self, kid: &str) -> Result<(PathBuf, Vec<u8>), Error> {
        let path = self.0.join(private_name(kid));
        check_mode(&path, FILE_MODE)?;
        let bytes = fs::read(&path).map_err(|source| Error::Io { path: path.clone(), source })?;
        Ok((path, bytes))
    }

    pub(super) fn write_private(&self, kid: &str, pem: &str) -> Result<(), Error> {
        self.write(&private_name(kid), pem.as_bytes())
    }

    pub(super) fn delete_private(&self, kid: &str) -> Result<(), Error> {
        let path = self.0.join(private_name(kid));
        match fs::remove_file(&path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(Error::Io { path, source }),
            _ => Ok(()),
        }
    }

    /// Writes under the lock: a temporary file, synced, renamed over the old one, and the folder synced.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.0.join(name);
        let temporary = self.0.join(format!("{name}.part"));
        let result = (|| -> io::Result<()> {
            // What a crashed process left behind may have any mode, so it is not reused.
            match fs::remove_file(&temporary) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file =
                OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&temporary)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.0)?.sync_all()
        })();
        result.map_err(|source| Error::Io { path, source })
    }
}

/// The manifest is a file that could have been edited, so its ids are checked before they become file names.
fn is_kid(kid: &str) -> bool {
    kid.len() == KID_LENGTH
        && kid.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

fn private_name(kid: &str) -> String {
    format!("signing-{kid}.pem")
}

fn check_mode(path: &Path, wanted: u32) -> Result<(), Error> {
    let metadata = fs::metadata(path).map_err(|source| Error::Io { path: path.to_path_buf(), source })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & OTHERS == 0 {
        Ok(())
    } else {
        Err(Error::Permissions { path: path.to_path_buf(), mode, wanted })
    }
}
