import { describeClientLibrary } from "./library.suite.ts";
import { standInBench } from "./library-stand-ins.fixture.ts";
import { startStandIns } from "./stand-in.fixture.ts";

const boards = ["pi-1", "pi-2", "pi-3"];

describeClientLibrary("one embedded broker", async () => standInBench(await startStandIns(boards, 1)));
describeClientLibrary("three embedded brokers", async () => standInBench(await startStandIns(boards, 3)));
