//! Where everything of an installation lies, and whose it is.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::InitError;

/// The folder of a config that systemd's unit runs.
const SYSTEM_FOLDER: &str = "/etc/siaga";
/// Where the data of that config lies.
const SYSTEM_DATA: &str = "/var/lib/siaga";
/// The user of that unit.
const SYSTEM_USER: &str = "siaga";
/// What the names of a store's files begin with.
const STORE_FILES: [&str; 4] = ["siaga.db", "siaga.lock", "siaga.reserve", "siaga.sock"];
/// Local users: the user of a service is one.
const USERS: &str = "/etc/passwd";

/// The places, all absolute: a server may be started from anywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) config: PathBuf,
    pub(super) key: PathBuf,
    pub(super) data: PathBuf,
    /// Whether systemd's unit runs it.
    pub(super) is_system: bool,
    /// Who gets the files; whoever runs this where there is none.
    pub(super) owner: Option<Owner>,
}

/// A user of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Layout {
    /// The places for a config. `user` is the one that the service runs as.
    pub(super) fn of(
        config: &Path,
        data: Option<&Path>,
        user: Option<&str>,
    ) -> Result<Self, InitError> {
        let absolute = |path: &Path| std::path::absolute(path).map_err(InitError::failed);
        let config = absolute(config)?;
        let folder = config.parent().unwrap_or(Path::new("/")).to_owned();
        let is_system = folder == Path::new(SYSTEM_FOLDER);
        let data = match data {
            Some(data) => absolute(data)?,
            None if is_system => PathBuf::from(SYSTEM_DATA),
            None => folder.join("data"),
        };
        let user = user.or_else(|| is_system.then_some(SYSTEM_USER));
        Ok(Self {
            key: config.with_extension("key"),
            config,
            data,
            is_system,
            owner: user.map(owner).transpose()?,
        })
    }

    /// The folder of config, key and secrets.
    pub(super) fn folder(&self) -> &Path {
        self.config.parent().unwrap_or(Path::new("/"))
    }

    /// A file for a secret of a gateway.
    pub(super) fn secret(&self, gateway: &str, key: &str) -> PathBuf {
        self.folder().join(format!("{gateway}.{key}"))
    }

    /// What is there already of config, key and data: nothing of it is ever written over.
    pub(super) fn taken(&self) -> Vec<PathBuf> {
        let mut taken: Vec<PathBuf> = [&self.config, &self.key]
            .into_iter()
            .filter(|path| fs::symlink_metadata(path).is_ok())
            .cloned()
            .collect();
        if !files(&self.data).is_empty() {
            taken.push(self.data.clone());
        }
        taken
    }
}

/// The files of a store in a folder, the folder itself where it is none.
pub(super) fn files(data: &Path) -> Vec<PathBuf> {
    let entries = match fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(_) => return vec![data.to_owned()],
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        STORE_FILES.iter().any(|start| name.starts_with(start))
    };
    paths.filter(is_ours).collect()
}

/// A user by its name, if whoever runs this may give it files.
fn owner(name: &str) -> Result<Owner, InitError> {
    let users = fs::read_to_string(USERS).map_err(InitError::failed)?;
    let Some(owner) = find(&users, name) else {
        return Err(InitError::NotFound(format!(
            "there is no user {name} on this machine; \
             make it: adduser --system --group --no-create-home --home {SYSTEM_DATA} {name}"
        )));
    };
    let own = rustix::process::geteuid();
    if !own.is_root() && own.as_raw() != owner.uid {
        return Err(InitError::NotAllowed(format!(
            "only root can give files to {name}; run it as root"
        )));
    }
    Ok(owner)
}

/// A user in a file like `/etc/passwd`: `name:password:uid:gid:…`.
fn find(users: &str, name: &str) -> Option<Owner> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then_some(())?;
        Some(Owner {
            uid: fields.nth(1)?.parse().ok()?,
            gid: fields.next()?.parse().ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_lies_beside_the_config_but_in_a_system() {
        let layout = Layout::of(Path::new("/srv/x/blitar.toml"), None, None).unwrap();
        assert_eq!(layout.key, Path::new("/srv/x/blitar.key"));
        assert_eq!(layout.data, Path::new("/srv/x/data"));
        assert_eq!(
            layout.secret("kannel", "token"),
            Path::new("/srv/x/kannel.token")
        );
        assert!(!layout.is_system && layout.owner.is_none());
        let here = Layout::of(Path::new("siaga.toml"), None, None).unwrap();
        assert!(here.config.is_absolute() && here.key.ends_with("siaga.key"));
        // Whose it is in a system is asked of the machine; `root` is on all of them.
        let own = Layout::of(Path::new("/etc/siaga/siaga.toml"), None, Some("root"));
        if rustix::process::geteuid().is_root() {
            let system = own.unwrap();
            assert_eq!(system.data, Path::new("/var/lib/siaga"));
            assert_eq!(system.key, Path::new("/etc/siaga/siaga.key"));
            assert!(system.is_system);
            assert_eq!(system.owner, Some(Owner { uid: 0, gid: 0 }));
        } else {
            assert!(matches!(own, Err(InitError::NotAllowed(_))));
        }
    }

    #[test]
    fn users_are_found_by_their_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\nsiaga:x:104:110::/var/lib/siaga:/x\nbad:x\n";
        assert_eq!(find(users, "siaga"), Some(Owner { uid: 104, gid: 110 }));
        assert_eq!(find(users, "bad"), None);
        assert_eq!(find(users, "sia"), None);
    }
}
