/** ELF files that only mean to keep who looks into them busy. Written sparse: their size is what they claim, not what they take. */
import fs from 'node:fs';

export interface HostileSection {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  /** By default that of the file offset in a program loaded at 4 MiB. */
  readonly address?: number;
  readonly link?: number;
  /** What it holds, again and again; nothing by default. */
  readonly content?: Buffer;
  readonly times?: number;
  /** By default that of the content. */
  readonly bytes?: number;
  /** Lies where the first section of this name does. */
  readonly sameAs?: string;
}

const BASE = 0x400000;
const FIRST_AT = 0x1000;
const align = (value: number): number => Math.ceil(value / 4096) * 4096;

/** Writes the file; where a program would have its code is loaded from the file as one segment. */
export function writeHostileElf(file: string, sections: readonly HostileSection[]): void {
  const fd = fs.openSync(file, 'w');
  const all: readonly HostileSection[] = [{ name: '', type: 0 }, ...sections, { name: '.shstrtab', type: 3 }];
  const names = Buffer.from(all.map(({ name }) => `${name}\0`).join(''));
  const places = new Map<string, number>();
  let at = FIRST_AT;
  const headers = all.map((section) => {
    const { name, type, flags = 0, link = 0, times = 1, sameAs } = section;
    const content = name === '.shstrtab' ? names : (section.content ?? Buffer.alloc(0));
    const offset = (sameAs === undefined ? undefined : places.get(sameAs)) ?? at;
    const bytes = section.bytes ?? content.length * times;
    if (sameAs === undefined) {
      if (!places.has(name)) places.set(name, offset);
      for (let time = 0; time < times; time++) fs.writeSync(fd, content, 0, content.length, at + time * content.length);
      at = align(at + Math.max(bytes, content.length * times));
    }
    const header = Buffer.alloc(64);
    header.writeUInt32LE(name === '' ? 0 : names.indexOf(`\0${name}\0`) + 1, 0);
    header.writeUInt32LE(type, 4);
    header.writeBigUInt64LE(BigInt(flags), 8);
    header.writeBigUInt64LE(BigInt(section.address ?? BASE + offset), 16);
    header.writeBigUInt64LE(BigInt(offset), 24);
    header.writeBigUInt64LE(BigInt(bytes), 32);
    header.writeUInt32LE(link, 40);
    return header;
  });
  fs.writeSync(fd, Buffer.concat(headers), 0, 64 * headers.length, at);
  const header = Buffer.alloc(64 + 56);
  header.write('\x7fELF\x02\x01\x01', 'latin1');
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(62, 18);
  header.writeBigUInt64LE(64n, 32);
  header.writeBigUInt64LE(BigInt(at), 40);
  [64, 56, 1, 64, headers.length, headers.length - 1].forEach((value, index) => {
    header.writeUInt16LE(value, 52 + 2 * index);
  });
  header.writeUInt32LE(1, 64);
  header.writeUInt32LE(5, 68);
  header.writeBigUInt64LE(BigInt(BASE), 80);
  header.writeBigUInt64LE(BigInt(at), 96);
  fs.writeSync(fd, header, 0, header.length, 0);
  fs.closeSync(fd);
}
