"""Boot a Debian with the usual servers, let a day pass in it, and see how much the rules recognise.

    python bench/first_report.py [--tree DIR] [--keep DIR]

In a machine of systemd-nspawn somebody logs in by ssh and fails to, becomes root, reads and sends
mail, looks at pages and for weaknesses; timers and cron jobs run, and services are restarted. Then
come the entries that are recognised, by program, and the report, of which nothing should be
important but what was done in earnest. Exit code 1: fewer than 97 % of the entries are recognised,
or 20 of them are not. It takes root, systemd-container, and debootstrap with a mirror of Debian.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

LEAST = 0.97
MOST_OTHER = 20
LIMIT = 900  # seconds for the day
SYSTEM = (
    "systemd,systemd-sysv,dbus,libpam-systemd,udev,kmod,polkitd,login,iproute2,curl,openssh-client,"
    "openssh-server,sshpass,cron,anacron,logrotate,man-db,sudo,ca-certificates,chrony,apt-utils,"
    "unattended-upgrades,e2fsprogs,mdadm,smartmontools"
)
SERVERS = "postfix dovecot-imapd nginx-light bind9"
INSTALL = f"""
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d
chmod +x /usr/sbin/policy-rc.d
apt-get -qq update
apt-get -qq -y --no-install-recommends install {SERVERS}
rm /usr/sbin/policy-rc.d
"""
FILES = {
    "etc/hostname": "box\n",
    "etc/hosts": "127.0.0.1 localhost box\n",
    "etc/nginx/users": "bob:{PLAIN}secret\n",
    "etc/nginx/conf.d/day.conf": """
access_log syslog:server=unix:/dev/log,nohostname combined;
error_log syslog:server=unix:/dev/log,nohostname;
server {
  listen 8081;
  root /var/www/html;
  location /private { auth_basic x; auth_basic_user_file /etc/nginx/users; }
  location /application { proxy_pass http://127.0.0.1:9; }
}
""",
    "etc/systemd/system/day.service": """
[Unit]
After=multi-user.target
[Service]
Type=exec
ExecStart=/bin/bash /root/day.sh
StandardOutput=null
StandardError=null
""",
    "root/day.sh": r"""
useradd -m -s /bin/bash alice
usermod -aG sudo alice
printf 'alice:secret\nroot:toor\n' | chpasswd
postconf -e 'inet_protocols = ipv4'
echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/day.conf
systemctl restart ssh postfix
try() {
    sshpass -p "$1" ssh -o StrictHostKeyChecking=no -o PreferredAuthentications=password \
        -o NumberOfPasswordPrompts=1 "$2@127.0.0.1" "$3"
}
say() { timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; cat >&3; cat <&3"; }
for number in 1 2; do try wrong alice true; try x "nobody$number" true; done
for _ in 1 2 3 4 5; do try secret alice 'echo secret | sudo -S id; sudo -n ls /root'; done
try toor root true
su alice -c true
su - alice -c 'echo bad | su root -c true'
echo 'GET /' | say 22
for _ in 1 2 3 4 5 6; do
    for page in / /wp-login.php :8081/application; do
        curl -s "http://127.0.0.1$page"
    done
done
for who in alice:x bob:x bob:secret; do curl -s -u "$who" http://127.0.0.1:8081/private/; done
for to in alice alice nobody@example.net; do
    printf 'Subject: hello\n\nhello\n' | sendmail "$to"
done
printf 'EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.net>\r\nQUIT\r\n' | say 25
for password in wrong secret; do
    (sleep 1; printf 'a LOGIN alice %s\r\n' "$password"; sleep 3; printf 'b LOGOUT\r\n') | say 143
done
for unit in apt-daily apt-daily-upgrade logrotate dpkg-db-backup man-db systemd-tmpfiles-clean; do
    timeout 60 systemctl start "$unit.service"
done
printf '* * * * * root true\n' > /etc/cron.d/minutely
sleep 70
systemctl reload nginx
systemctl restart cron postfix dovecot named
systemd-run --unit=broken /bin/false
sleep 3
systemctl poweroff
""",
}


def build(tree: Path) -> None:
    """Make a Debian with servers."""
    options = ["--variant=minbase", f"--include={SYSTEM}"]
    subprocess.run(["debootstrap", *options, "bookworm", str(tree)], check=True)
    shutil.copy("/etc/resolv.conf", tree / "etc/resolv.conf")
    subprocess.run(["chroot", str(tree), "sh", "-ec", INSTALL], check=True)


def day(tree: Path) -> Path:
    """Let a day pass.

    :return: the folder with the journal of it.
    """
    for name, text in FILES.items():
        file = tree / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    wants = tree / "etc/systemd/system/multi-user.target.wants/day.service"
    wants.unlink(missing_ok=True)
    wants.symlink_to("../day.service")
    journal = tree / "var/log/journal"
    shutil.rmtree(journal, ignore_errors=True)
    journal.mkdir()
    name = f"pyruse{uuid.uuid4().hex[:8]}"
    options = ["-q", "-b", "-D", str(tree), "-M", name, "--private-network"]
    # Without a systemd that runs here, too.
    options += ["--register=no", "--keep-unit"]
    try:
        subprocess.run(
            ["systemd-nspawn", *options], timeout=LIMIT, check=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        sys.exit(f"the day has not ended in {LIMIT} s")
    finally:
        # It stays where /run is not a file system of its own.
        shutil.rmtree(f"/run/systemd/nspawn/propagate/{name}", ignore_errors=True)
    (folder,) = (one for one in journal.iterdir() if one.is_dir())
    return folder


def pyruse(*arguments: str) -> str:
    """What a command of Pyruse says."""
    command = [sys.executable, "-m", "pyruse", *arguments]
    return subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True).stdout


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tree", type=Path, help="such a Debian, built before; it is copied")
    parser.add_argument("--keep", type=Path, help="where the journal is to be kept")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pyruse-day-") as folder:
        tree = Path(folder, "tree")
        if chosen.tree:
            subprocess.run(["cp", "-a", str(chosen.tree), str(tree)], check=True)
        else:
            build(tree)
        begin = time.monotonic()
        journal = day(tree)
        print(f"the day took {time.monotonic() - begin:.0f} s")
        if chosen.keep:
            shutil.copytree(journal, chosen.keep)
        return shown(journal)


def shown(journal: Path) -> int:
    """Print what the rules make of a journal.

    :return: the exit code.
    """
    where = ["-D", str(journal)]
    found = json.loads(pyruse("stats", "--recognised", "--format", "json", *where))
    print(pyruse("stats", "--recognised", *where))
    rows = [line.split("\t") for line in pyruse("rules").splitlines()]
    use = [row[0] for row in rows if row[2]]  # policies belong to no program
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pyruse.toml").write_text(f"use = {json.dumps(use)}\n")
        print(pyruse("replay", "-c", folder, *where))
    unknown = sum(program["unknown"] for program in found["programs"])
    print(f"{found['entries']} entries, {found['recognised']:.1%} recognised, {unknown} are not")
    return int(found["recognised"] < LEAST or unknown >= MOST_OTHER)


if __name__ == "__main__":
    sys.exit(main())
