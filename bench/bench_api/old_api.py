"""The old way to take posted samples, for `make bench-api` to compare with: not part of the application.

A small replica of our own writing, of what an uploader used to post to: FastAPI with a pydantic model for each row, an
ORM object for each row, SQLAlchemy's `bulk_save_objects` through PyMySQL, one commit a request. Like the old table, its
own has no unique key, so it looks for no duplicates, and 4-byte floats. The server is
`uvicorn bench.bench_api.old_api:app`, on the database in DATABASE_URL.
"""

import os
from collections.abc import Iterator
from datetime import datetime

import sqlalchemy
from fastapi import Depends, FastAPI
from pydantic import BaseModel
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = sqlalchemy.create_engine(sqlalchemy.make_url(os.environ["DATABASE_URL"]).set(drivername="mysql+pymysql"))
new_session = sessionmaker(engine)
app = FastAPI()


class Base(DeclarativeBase):
    pass


class OldVibrationData(Base):
    __tablename__ = "old_vibration_data"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    machine_name: Mapped[str] = mapped_column(sqlalchemy.String(50), index=True)
    sensor_no: Mapped[str] = mapped_column(sqlalchemy.String(20))
    collected_at: Mapped[datetime] = mapped_column(DATETIME(fsp=6))
    measured_time: Mapped[float] = mapped_column(sqlalchemy.Float)
    normal: Mapped[float] = mapped_column(sqlalchemy.Float)
    unbalance: Mapped[float] = mapped_column(sqlalchemy.Float)
    looseness: Mapped[float] = mapped_column(sqlalchemy.Float)
    unbalance_looseness: Mapped[float] = mapped_column(sqlalchemy.Float)


class Row(BaseModel):
    machine_name: str
    sensor_no: str
    collected_at: datetime
    measured_time: float
    normal: float
    unbalance: float
    looseness: float
    unbalance_looseness: float


Base.metadata.create_all(engine)


def session() -> Iterator[Session]:
    with new_session() as opened:
        yield opened


@app.post("/api/vibration-data/bulk")
def post_rows(rows: list[Row], db: Session = Depends(session)):  # noqa: B008  how FastAPI wants it
    db.bulk_save_objects([OldVibrationData(**row.model_dump()) for row in rows])
    db.commit()
    return {"status": "success", "inserted": len(rows)}
