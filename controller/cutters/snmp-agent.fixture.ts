/** For tests: an SNMP agent in this process, whose tables are whatever a test wants, true or not. */

import snmp from "net-snmp";
import { freePort } from "../../device/mqtt/free-port.fixture.ts";

/** The part of net-snmp's agent that is used; its types leave it open. */
type LibraryAgent = {
  getAuthorizer(): { addCommunity(community: string): void };
  registerProvider(definition: unknown): void;
  getMib(): {
    addTableRow(table: string, row: readonly unknown[]): void;
    getTableSingleCell(table: string, column: number, row: readonly number[]): unknown;
    setTableSingleCell(table: string, column: number, row: readonly number[], value: unknown): void;
    registerProvider(definition: unknown): void;
  };
  close(): void;
};

/** A table: the object identifier of its rows, how many numbers make an index, its columns and rows. */
export type AgentTable = {
  readonly name: string;
  readonly entryOid: string;
  readonly indexLength: 1 | 2;
  readonly columns: readonly { readonly number: number; readonly type: "integer" | "text" }[];
  readonly rows: readonly (readonly (number | string)[])[];
};

export class TestAgent {
  readonly address: string;
  readonly #agent: LibraryAgent;

  private constructor(port: number, community: string, tables: readonly AgentTable[]) {
    this.address = `127.0.0.1:${port}`;
    this.#agent = snmp.createAgent({ port, address: "127.0.0.1" }, () => {}) as LibraryAgent;
    this.#agent.getAuthorizer().addCommunity(community);
    for (const table of tables) this.#addTable(table);
  }

  static async start(community: string, tables: readonly AgentTable[]): Promise<TestAgent> {
    return new TestAgent(await freePort(), community, tables);
  }

  read(table: string, column: number, index: readonly number[]): unknown {
    return this.#agent.getMib().getTableSingleCell(table, column, index);
  }

  close(): void {
    this.#agent.close();
  }

  #addTable({ name, entryOid, indexLength, columns, rows }: AgentTable): void {
    const { ObjectType, MaxAccess, MibProviderType } = snmp;
    const hidden = Array.from({ length: indexLength }, (_, at) => ({
      number: 101 + at,
      name: `${name}Index${at}`,
      type: ObjectType.Integer,
      maxAccess: MaxAccess["not-accessible"],
    }));
    const shown = columns.map(({ number, type }) => ({
      number,
      name: `${name}Column${number}`,
      type: type === "integer" ? ObjectType.Integer : ObjectType.OctetString,
      maxAccess: MaxAccess["read-write"],
    }));
    this.#agent.getMib().registerProvider({
      name,
      type: MibProviderType.Table,
      oid: entryOid,
      maxAccess: MaxAccess["not-accessible"],
      tableColumns: [...hidden, ...shown],
      tableIndex: hidden.map((column) => ({ columnName: column.name })),
    });
    for (const row of rows) this.#agent.getMib().addTableRow(name, row);
  }
}
