import { describeWrongNumber } from "./wrong-number.suite.ts";

describeWrongNumber([100_000]);
