import { describe, expect, it } from "vitest";
import { type Drive, parseListing, refusalOf } from "./drives.ts";

const card: Drive = {
  path: "/dev/sdb",
  kind: "disk",
  sizeBytes: 32e9,
  model: "Generic STORAGE DEVICE",
  transport: "usb",
  isRemovable: true,
  isReadOnly: false,
  labels: ["bootfs", "rootfs"],
  mountPoints: [],
};

describe("a drive", () => {
  it("may be written if it is a card in a reader", () => {
    expect(refusalOf(card, 3e9)).toBeNull();
    expect(refusalOf({ ...card, path: "/dev/mmcblk0", transport: "mmc", isRemovable: false }, 3e9)).toBeNull();
  });

  it.each([
    [{ isRemovable: false, transport: "nvme" }, /cannot be removed/],
    [{ mountPoints: ["/", "/boot/firmware"] }, /from which this machine runs/],
    [{ mountPoints: ["[SWAP]"] }, /from which this machine runs/],
    [{ mountPoints: ["/media/ada/bootfs"] }, /mounted at \/media\/ada\/bootfs\. Unmount it \(umount/],
    [{ sizeBytes: 513.1e9 }, /too large for a card/],
    [{ sizeBytes: 2e9 }, /has 2\.0 GB, but the image needs 3\.0 GB/],
    [{ sizeBytes: 0 }, /no card is in the reader/],
    [{ isReadOnly: true }, /read-only: push the small switch/],
    [{ kind: "part", path: "/dev/sdb1" }, /no whole drive \(part\)/],
  ] satisfies [Partial<Drive>, RegExp][])("is refused if %o", (change, message) => {
    expect(refusalOf({ ...card, ...change }, 3e9)).toMatch(message);
  });

  it("is read from what lsblk prints, with the labels and mounts of its parts", () => {
    const part = { type: "part", size: 5e8, model: null, vendor: null, rm: true, hotplug: true, ro: false, tran: null };
    const text = JSON.stringify({
      blockdevices: [
        {
          ...part,
          ...{
            path: "/dev/sdb",
            type: "disk",
            size: 32e9,
            vendor: "Generic ",
            model: "STORAGE DEVICE",
            tran: "usb",
            label: null,
          },
          mountpoints: [null],
          children: [
            { ...part, path: "/dev/sdb1", label: "bootfs", mountpoints: ["/media/ada/bootfs"] },
            { ...part, path: "/dev/sdb2", label: "rootfs", mountpoints: [null] },
          ],
        },
      ],
    });
    const [drive, first] = parseListing(text);
    expect(drive).toEqual({ ...card, mountPoints: ["/media/ada/bootfs"] });
    expect(first).toMatchObject({ path: "/dev/sdb1", kind: "part" });
  });
});
