"""Makes wheels out of unpacked Debian packages: wheels.py DEST FOLDER...

Each folder is named as the package's file in /debs and has one distribution, as Debian lays it out:
modules and an .egg-info or .dist-info folder in usr/lib/python3/dist-packages. Wheels are in the format of
https://packaging.python.org/specifications/binary-distribution-format/.
"""

import base64
import email.parser
import hashlib
import pathlib
import re
import subprocess
import sys
import zipfile


# What Debian's own wheels in /usr/share/python-wheels provide.
BUNDLED = {"python3-setuptools": "setuptools", "python3-pkg-resources": "setuptools"}

# What the distributions themselves want on other systems only.
NOT_HERE = {"python3-colorama"}


def depends(deb, names):
    """Yields the Requires-Dist lines of a package. Debian takes what its packages depend on out of the
    metadata of the distribution, so the relations of the package are asked."""
    field = subprocess.run(["dpkg-deb", "--field", deb, "Depends"], check=True, capture_output=True, text=True).stdout
    for relation in field.strip().split(","):
        choices = [re.split(r"[\s:(]", choice.strip())[0] for choice in relation.split("|")]
        known = sorted({names[choice] for choice in choices if choice in names})
        if known:
            yield f"Requires-Dist: {known[0]}"
        elif all(choice.startswith("python3-") and choice not in NOT_HERE for choice in choices):
            sys.exit(f"{deb}: no wheel for what it depends on: {relation.strip()}")


def extras(text):
    """Yields the Requires-Dist lines of the extras in a requires.txt of setuptools."""
    extra = marker = ""
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("["):
            extra, _, marker = line.strip("[]").partition(":")
        elif line and extra:
            terms = [f'extra == "{extra}"'] + ([f"({marker})"] if marker else [])
            yield f"Requires-Dist: {line}; " + " and ".join(terms)


def information(folder):
    """The .egg-info or .dist-info of the one distribution in an unpacked package."""
    site = folder / "usr/lib/python3/dist-packages"
    infos = [p for p in site.iterdir() if p.suffix in (".egg-info", ".dist-info")]
    if len(infos) != 1:
        sys.exit(f"{folder.name}: {len(infos)} distributions, want one")
    return infos[0]


def fields(info):
    """The metadata of a distribution, with its description as the payload."""
    if info.is_dir():
        info = info / ("METADATA" if info.suffix == ".dist-info" else "PKG-INFO")
    return email.parser.Parser().parsestr(info.read_text())


def metadata(info, deb, names):
    """The METADATA of a wheel."""
    meta = fields(info)
    lines = [f"{key}: {value}" for key, value in meta.items() if key != "Requires-Dist"]
    lines += depends(deb, names)
    if info.is_dir() and (info / "requires.txt").exists():
        lines += extras((info / "requires.txt").read_text())
    return "\n".join(lines) + "\n\n" + meta.get_payload()


def wheel(dest, folder, names):
    info_folder = information(folder)
    site = info_folder.parent
    meta = metadata(info_folder, f"/debs/{folder.name}", names)
    name = re.sub(r"[-_.]+", "_", fields(info_folder)["Name"])
    version = fields(info_folder)["Version"]

    files = {}
    compiled = False
    for path in sorted(site.rglob("*")):
        inside = path.relative_to(site)
        if not path.is_file() or "__pycache__" in inside.parts or inside.parts[0] == info_folder.name:
            continue
        compiled = compiled or path.suffix == ".so"
        files[str(inside)] = path.read_bytes()
    if not files:
        sys.exit(f"{folder.name}: no modules")

    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    tag = f"{tag}-{tag}-linux_x86_64" if compiled else "py3-none-any"
    info = f"{name}-{version}.dist-info"
    files[f"{info}/METADATA"] = meta.encode()
    purelib = "false" if compiled else "true"
    files[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: wheels.py\nRoot-Is-Purelib: {purelib}\nTag: {tag}\n".encode()
    if info_folder.is_dir() and (info_folder / "entry_points.txt").exists():
        files[f"{info}/entry_points.txt"] = (info_folder / "entry_points.txt").read_bytes()

    record = ""
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(content)}\n"
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()

    with zipfile.ZipFile(dest / f"{name}-{version}-{tag}.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    print(f"{name} {version}")


dest, *folders = map(pathlib.Path, sys.argv[1:])
names = dict(BUNDLED)
for folder in folders:
    names[folder.name.split("_")[0]] = fields(information(folder))["Name"]
for folder in folders:
    wheel(dest, folder, names)
