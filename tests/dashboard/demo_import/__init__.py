from pathlib import Path

#: The files of the Streamlit demo, as it has them.
DEMO = Path(__file__).parent / "files"
