import { keccak_256 } from "@noble/hashes/sha3.js";
import type { Address } from "../chain/hex.ts";

/** An address as it was written: its lower-case form, or what is wrong with it. */
export type AddressCheck =
  | { readonly ok: true; readonly address: Address }
  | { readonly ok: false; readonly message: string; readonly fix: string };

/** Checks form and, where upper and lower case are mixed, the checksum (EIP-55). */
export function checkAddress(value: unknown): AddressCheck {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(value)) {
    return { ok: false, message: `${quoted(value)} is not an address`, fix: "An address is 0x and 40 hex digits." };
  }
  const address: Address = `0x${value.slice(2).toLowerCase()}`;
  const digits = value.slice(2);
  const hasCase = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  if (hasCase && value !== checksumOf(address)) {
    return {
      ok: false,
      message: `${value} has a wrong checksum`,
      fix: `A digit may be mistyped. If it is not, write ${checksumOf(address)} or ${address}.`,
    };
  }
  return { ok: true, address };
}

/** The mixed-case form of a lower-case address (EIP-55). */
export function checksumOf(address: Address): Address {
  const digits = address.slice(2);
  const hash = keccak_256(Buffer.from(digits, "latin1"));
  let text = "";
  for (let index = 0; index < digits.length; index++) {
    const nibble = (hash[index >> 1]! >> (index % 2 === 0 ? 4 : 0)) & 0xf;
    text += nibble >= 8 ? digits[index]!.toUpperCase() : digits[index];
  }
  return `0x${text}`;
}

function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
