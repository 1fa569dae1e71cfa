/**
 * How a stock system is told to become a board at its first boot. Each kind of system has a way of its own; which one it is
 * shows in the files of its boot partition.
 */

import { stringify } from "yaml";
import { CardFailure } from "./card-failure.ts";
import type { Fat } from "./fat.ts";

/** What the system itself must know of a board. */
export type SystemSettings = {
  /** Its name on the network. */
  readonly hostname: string;
  /** An IPv4 address; `null`: it asks a DHCP server. */
  readonly address: string | null;
  /** Public keys of whoever may log in as `pi`, as in `id_ed25519.pub`; `null`: nobody may. */
  readonly sshKey: string | null;
  /** Which writing of a card this is. */
  readonly card: string;
};

/** A way to begin. */
export type FirstBoot = {
  readonly kind: "cloud-init" | "firstrun" | "adrift image";
  /** What people call it. */
  readonly title: string;
  readonly bringsNode: boolean;
  /** Files for the folder `adrift`, beside those of every board. */
  readonly extraFiles: (settings: SystemSettings) => readonly { readonly path: string; readonly text: string }[];
  /** What the system reads by itself. Done last: before it, the card boots as it would have without us. */
  readonly hook: (boot: Fat, settings: SystemSettings) => void;
};

/** The way of the system whose boot partition this is. @throws {CardFailure} if it is not known */
export function findFirstBoot(boot: Fat, name: string): FirstBoot {
  const files = new Set(boot.list("").map((file) => file.toLowerCase()));
  if (files.has("adrift.image")) return ownImage;
  if (!files.has("cmdline.txt") || !files.has("config.txt")) {
    throw new CardFailure(
      `${name} has a boot partition without cmdline.txt and config.txt: it is not Raspberry Pi OS. Take Raspberry Pi OS Lite ` +
        "(64-bit) from https://www.raspberrypi.com/software/operating-systems/.",
    );
  }
  return files.has("user-data") && files.has("meta-data") ? cloudInit : firstRun;
}

/** Every address is on a network of 256, which the boards share with the controller. */
const prefixLength = 24;

/** Raspberry Pi OS since the end of 2025: cloud-init reads three YAML files. */
const cloudInit: FirstBoot = {
  kind: "cloud-init",
  title: "Raspberry Pi OS with cloud-init",
  bringsNode: false,
  extraFiles: () => [],
  hook(boot, settings) {
    const { hostname, address, sshKey, card } = settings;
    const instance = `adrift-${hostname}-${card}`;
    const ethernet = address === null ? { dhcp4: true } : { dhcp4: false, addresses: [`${address}/${prefixLength}`] };
    const network = { version: 2, ethernets: { eth0: { ...ethernet, optional: true } } };
    writeText(boot, "network-config", stringify({ network }));
    // cloud-init begins anew only for an instance that it does not know.
    writeText(boot, "meta-data", stringify({ "instance-id": instance, dsmode: "local" }));
    const commandLine = readText(boot, "cmdline.txt");
    const told = commandLine.replace(/\bds=nocloud\S*/, `ds=nocloud;i=${instance}`);
    if (told !== commandLine) writeText(boot, "cmdline.txt", told);
    writeText(boot, "user-data", `#cloud-config\n${stringify(userData(hostname, sshKey), { lineWidth: 0 })}`);
  },
};

function userData(hostname: string, sshKey: string | null): unknown {
  const begin = ["sh", "/boot/firmware/adrift/install-first-boot.sh", "now"];
  const common = { hostname, manage_etc_hosts: true, ssh_pwauth: false };
  if (sshKey === null) return { ...common, runcmd: [begin] };
  const user = {
    name: "pi",
    shell: "/bin/bash",
    groups: "users,adm,dialout,netdev,plugdev,gpio,sudo",
    sudo: "ALL=(ALL) NOPASSWD:ALL",
    lock_passwd: true,
    ssh_authorized_keys: linesOf(sshKey),
  };
  return { ...common, users: [user], runcmd: [["systemctl", "enable", "--now", "ssh"], begin] };
}

const runOnce =
  " systemd.run=/boot/firmware/firstrun.sh systemd.run_success_action=reboot systemd.unit=kernel-command-line.target";

/** Raspberry Pi OS from the end of 2023 on (bookworm): the kernel's command line names a script. */
const firstRun: FirstBoot = {
  kind: "firstrun",
  title: "Raspberry Pi OS with firstrun.sh",
  bringsNode: false,
  extraFiles: ({ hostname, address, card }) => [
    { path: "adrift/hostname", text: `${hostname}\n` },
    ...(address === null ? [] : [{ path: "adrift/adrift.nmconnection", text: networkManagerFile(address, card) }]),
  ],
  hook(boot, { sshKey }) {
    writeText(boot, "firstrun.sh", firstRunScript(sshKey));
    const commandLine = readText(boot, "cmdline.txt")
      .trimEnd()
      .replaceAll(/ systemd\.(run|run_success_action|unit)=\S+/g, "");
    writeText(boot, "cmdline.txt", `${commandLine}${runOnce}\n`);
  },
};

function firstRunScript(sshKey: string | null): string {
  const login =
    sshKey === null
      ? ""
      : `if [ -x /usr/lib/userconf-pi/userconf ]; then /usr/lib/userconf-pi/userconf pi '*'; fi
user=$(getent passwd 1000 | cut -d: -f1)
home=$(getent passwd 1000 | cut -d: -f6)
install -d -m 700 -o "$user" "$home/.ssh"
cat >"$home/.ssh/authorized_keys" <<'KEYS'
${linesOf(sshKey).join("\n")}
KEYS
chown "$user" "$home/.ssh/authorized_keys"
chmod 600 "$home/.ssh/authorized_keys"
echo 'PasswordAuthentication no' >/etc/ssh/sshd_config.d/adrift.conf
systemctl enable ssh
`;
  return `#!/bin/sh
# Written by adrift flash; runs once, before the network is up. All else is done by first-boot.sh at the next boot.
sh /boot/firmware/adrift/install-first-boot.sh later || exit 1
${login}rm -f /boot/firmware/firstrun.sh
sed -i 's| systemd\\.run[^ ]*||g; s| systemd\\.unit=[^ ]*||g' /boot/firmware/cmdline.txt
exit 0
`;
}

function networkManagerFile(address: string, card: string): string {
  const uuid = card.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
  return `[connection]
id=adrift
uuid=${uuid}
type=ethernet
autoconnect-priority=100

[ipv4]
method=manual
address1=${address}/${prefixLength}

[ipv6]
method=link-local
`;
}

/** An image that was built for boards: all but the board's own files is in it. */
const ownImage: FirstBoot = {
  kind: "adrift image",
  title: "an image of Adrift",
  bringsNode: true,
  extraFiles: ({ hostname, address, sshKey }) => [
    { path: "adrift/hostname", text: `${hostname}\n` },
    ...(address === null ? [] : [{ path: "adrift/50-adrift.network", text: networkdFile(address) }]),
    ...(sshKey === null ? [] : [{ path: "adrift/authorized_keys", text: `${linesOf(sshKey).join("\n")}\n` }]),
  ],
  hook: () => undefined,
};

function networkdFile(address: string): string {
  return `[Match]
Type=ether

[Network]
Address=${address}/${prefixLength}
LinkLocalAddressing=yes
`;
}

function linesOf(text: string): readonly string[] {
  return text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** The text of a file; empty if there is none. */
export function readText(boot: Fat, path: string): string {
  return Buffer.from(boot.read(path) ?? new Uint8Array()).toString("utf8");
}

export function writeText(boot: Fat, path: string, text: string): void {
  boot.write(path, Buffer.from(text));
}
