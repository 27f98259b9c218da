"""The yardstick: one pass that reads the table and pivots outcomes to unit × period with pandas."""

from common import Found, Task, measure


def load():
    return None


def prepare(frame, task: Task):
    return frame


def estimate(tool, frame, task: Task) -> Found:
    wide = frame.pivot(index="unit", columns="period", values="outcome")
    return Found(None, None, float(wide.iloc[0, 0]))


if __name__ == "__main__":
    measure(load, prepare, estimate)
